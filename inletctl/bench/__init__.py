"""The bench: prove a board with a signal generator, and say what was measured."""
