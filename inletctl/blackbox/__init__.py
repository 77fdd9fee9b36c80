"""Black boxes and the session log of a board: read, shown, and replayed on this computer."""
