"""`inletctl monitor`: a board watched live in the terminal."""
