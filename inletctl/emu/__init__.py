"""The firmware on an emulated RP2040: a real MicroPython image, real drivers, the virtual inlet on its pins."""
