"""Proof by machine: what must hold in every pass, searched for a way round, and shown to bite."""
