"""What the inlet remembers: trouble codes and their memory."""
