"""What can run the firmware: CPython in this process, the 32-bit MicroPython under Node."""
