"""What each command does, a module each; `heartline.cli` says how they are called."""
