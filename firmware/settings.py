"""Settings: every key of setting_rows.TABLE, loaded so that no limit is loosened by accident.

A setting that is unknown, of the wrong type or out of bounds is left at its default and named in `rejected`;
the step then raises F_SETTINGS. Where what was asked for can be read and is stricter than the default ("16000" for
32000), it is brought within the bounds and used: the default would be looser.
"""

# Choices of the settings whose unit is "choice": the value stored is the index.
INLETS = ("type1", "type2", "gbt", "nacs", "ccs1", "ccs2", "chademo")
LOCK_KINDS = ("motor", "solenoid")
LOCK_FEEDBACKS = ("none", "switch", "analog")
LOCK_POLICIES = ("refuse", "reduce", "ignore")
SENSOR_KINDS = ("unused", "ntc", "pt1000")
CAN_DIALECTS = ("none", "native", "cpc", "i3lim")
CAN_RATES = ("125k", "250k", "500k", "1000k")


class Settings:
    """
    `wanted` is a dict of key to int, or None for the defaults. An attribute for every key of setting_rows.TABLE, and

    rejected    what was asked for and refused, a sentence each
    given       keys that were asked for and taken as they are
    is_trusted  False: nothing was stored, or what was refused says how the inlet is built, so that no default is known
                to be the strict one. Nobody may charge on such a guess.
    keys        dict of number to key, of every setting
    """

    def __init__(self, wanted=None):
        # A board needs the table at its boot, and when a setting is changed: it forgets it in between.
        from setting_rows import take

        self.rejected = []
        self.given = []
        self.is_trusted = True
        self.keys = {}
        take(self, wanted)
