"""Heartline on the nodes of a Ray cluster: starting, moving, draining, telling."""
