"""The fault campaign: what breaks, alone and in pairs, in the middle of randomised sessions, and what the inlet makes of it."""
