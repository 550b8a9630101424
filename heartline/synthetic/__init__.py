"""A catalogue that nobody made, as large as one wants: for benchmarks, and to be searched among."""
