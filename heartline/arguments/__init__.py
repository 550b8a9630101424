"""The arguments of every command, by what the commands are about."""
