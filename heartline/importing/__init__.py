"""Catalogues in files: read, judged row by row, put together, and published where they differ."""
