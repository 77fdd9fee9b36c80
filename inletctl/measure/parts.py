"""What `inletctl perf` can measure by itself, by name: the order is the one it is begun in, the longest first."""

HOST = "host"
# "type2" and "type1" are boards that charge: reactions, and on "type2" the loop and its end.
CHIP = ("type2", "type1", "pilot", "power cuts", "readings", "speed")
PARTS = (HOST, *CHIP)
