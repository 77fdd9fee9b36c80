"""Port temperatures: are they to be believed, and how much current do they leave."""
