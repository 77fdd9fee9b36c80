"""The only code that touches a machine: one device a module, no policy."""
