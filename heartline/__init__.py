"""The command line, the settings, and the one place that builds clients."""
