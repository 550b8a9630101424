"""The incremental fold as compiled loops over columns: what a shard does with every heartbeat.

    unpacking  read the columns of the log's records
    planning   who is it, and which rows are needed that are not in memory?
    loading    put in what the store had of them
    folding    apply the heartbeats: mostly, they lengthen the listener's cursor
    writing    settle the cursors and encode the dirty rows
    sweeping   forget what was not touched for long

`domain.fold` calls these and owns the arrays. The rule stands in `runs` and `cursor`.
"""
