"""The log's consumers: they hand records over to the shards, in order."""
