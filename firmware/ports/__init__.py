"""The records of the ports that a controller serves: connector, power, status, label, notes."""
