"""The HTTP doors: Starlette applications that Ray Serve runs."""
