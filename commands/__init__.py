"""The `plantwatch` command: one file per command, wiring only."""
