"""The rules of listening: what counts, how it folds, how a week is cut. No I/O, no clock."""
