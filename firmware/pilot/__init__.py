"""Control pilot and proximity: edges and volts in, states, limits and reasons out."""
