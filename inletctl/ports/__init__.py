"""The records of ports: on a board and in files."""
