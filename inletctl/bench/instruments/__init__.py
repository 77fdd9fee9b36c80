"""What makes a pilot signal on the bench: a signal generator over SCPI, a second Pico, or a person with knobs."""
