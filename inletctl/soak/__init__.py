"""The soak: thousands of sessions back to back on one interpreter, and whether anything leaks, drifts or grows."""
