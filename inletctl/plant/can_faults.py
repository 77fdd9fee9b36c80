"""What may be wrong with what the car sends on CAN, and what else may be sent there. Names for the verbs."""

# checksum: wrong; counter_repeat: it stands still; counter_skip: it jumps by 5; length: one byte short; value: one signal
# outside its range, all else right; missing: not sent.
CAN_FAULTS = ("none", "checksum", "counter_repeat", "counter_skip", "length", "value", "missing")
# unknown: ids that nobody knows; checksum: the car's first message with a wrong one; replay: its newest one again.
CAN_FLOODS = ("none", "unknown", "checksum", "replay")
# Messages of every dialect that the inlet listens to (inletctl/can/dialects).
CAN_MESSAGES = ("control", "charger", "dc", "battery", "vehicle", "charge", "modem")
