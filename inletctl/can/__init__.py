"""CAN messages: one source for the firmware's codecs, the DBC files, docs/can.md and the tests; and verbs for logs and buses."""
