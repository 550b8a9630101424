"""What benchmarks share: where they run, what they drive, and the pages made of what they saw."""
