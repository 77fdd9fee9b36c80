"""Bytes nobody meant, fed to everything that reads bytes: accepted, or refused in one sentence, and nothing else."""
