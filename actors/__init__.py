"""State in memory: the listener shards, one Ray actor each."""
