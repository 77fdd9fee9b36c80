"""What `make perf` measures on the emulated RP2040: loop, pilot, reactions pin to pin, killed loops, power cuts."""
