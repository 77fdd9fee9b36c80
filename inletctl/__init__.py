"""The host tool: simulate, explain, report."""

__version__ = "0.1.0"
