"""Colours of the report and the live view, by meaning.

A colour is a key; each theme of the page gives it a value, so that both stay readable. Names come from the
firmware; one that is not listed gets its colour from the words in it, so a new state never breaks a report.
"""

# key: (on light ground, on dark ground)
COLORS = {
    "ink": ("#1c2733", "#e6ebf0"),
    "soft": ("#5b6b7b", "#9aa8b6"),
    "grid": ("#e4e9ee", "#26313c"),
    "paper": ("#ffffff", "#141b22"),
    "idle": ("#d3dae1", "#36424e"),
    "pale": ("#a9c7e8", "#3d5f85"),
    "blue": ("#2f6fb5", "#6aa9ea"),
    "navy": ("#24507f", "#4780bd"),
    "teal": ("#178a86", "#45bdb8"),
    "green": ("#2e9259", "#52bd7f"),
    "amber": ("#d08a12", "#e6ab45"),
    "orange": ("#cf5f24", "#f08c55"),
    "red": ("#c8322f", "#f0706a"),
    "violet": ("#7a5bb0", "#a78bdc"),
    "white": ("#f3f1e7", "#f3f1e7"),
}

SESSION = {
    "unplugged": "idle", "waiting": "pale", "charging": "green", "stopping": "amber",
    "resting": "violet", "released": "teal",
}  # fmt: skip
PILOT = {
    "A": "idle", "B1": "pale", "B2": "blue", "C1": "amber", "C2": "green", "D1": "amber",
    "D2": "teal", "E": "red", "F": "red", "?": "red",
}  # fmt: skip
LIMITER = {
    "none": "idle", "pilot": "blue", "cable": "violet", "temperature": "orange", "setting": "soft",
    "vehicle": "teal", "lock": "amber",
}  # fmt: skip
LEVEL = {"info": "blue", "good": "green", "warn": "amber", "bad": "red"}
OUTCOME = {"pass": "green", "fail": "red", "not run": "soft", "inconclusive": "amber"}

# First word found in the name decides; a light that names its colour shows it.
_LIGHT_WORDS = (
    ("white", "white"), ("red", "red"), ("amber", "amber"), ("yellow", "amber"),
    ("green", "green"), ("blue", "blue"), ("violet", "violet"), ("off", "idle"), ("fault", "red"), ("fail", "red"),
    ("error", "red"), ("dark", "idle"), ("derat", "amber"), ("limit", "amber"), ("warn", "amber"),
    ("charg", "green"), ("done", "green"), ("complete", "green"), ("wait", "blue"),
    ("paus", "blue"), ("ready", "blue"), ("lock", "amber"), ("plug", "white"),
)  # fmt: skip
_LOCK_WORDS = (
    ("fail", "red"), ("slip", "red"), ("jam", "red"), ("wait", "amber"), ("pause", "amber"),
    ("check", "amber"), ("unlocking", "amber"), ("locking", "amber"), ("reversed", "amber"),
    ("shut", "amber"), ("unlocked", "idle"), ("locked", "navy"), ("assumed", "navy"),
)  # fmt: skip


def color_of(column: str, name: str) -> str:
    """Return the colour key for the value `name` of an enum column."""
    if column == "session":
        return SESSION.get(name, "soft")
    if column in ("pilot_state", "evse_state"):
        return PILOT.get(name, "red" if name[:1] in "EF" else "soft")
    if column == "limiter":
        return LIMITER.get(name, "soft")
    words = _LIGHT_WORDS if column == "light" else _LOCK_WORDS
    text = name.lower()
    return next((color for word, color in words if word in text), "soft")
