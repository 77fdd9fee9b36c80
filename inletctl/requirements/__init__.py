"""What is required of the inlet, and what shows it: data in docs/requirements, checked and printed here."""
