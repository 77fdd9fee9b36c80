"""Put the firmware on a board: compile, compare, copy what changed, verify, commit, restart, listen."""
