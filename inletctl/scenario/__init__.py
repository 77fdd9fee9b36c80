"""Scenario files: what happens to the inlet, when, and what must come out. Text in, judgement out."""
