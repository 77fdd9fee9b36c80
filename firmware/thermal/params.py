"""What the thermal room must be told: one record a sensor, one for the port. Plain ints.

A value outside its bounds raises ValueError with one sentence. Settings are checked before they
come here; this is the last gate, so that a mistake in wiring or configuration is found at boot and
never becomes a looser limit.
"""

from micropython import const

# Kinds of sensor. Both hang between the ADC pin and ground, under a pull-up to the rail.
UNUSED = const(0)  # not fitted
NTC = const(1)  # R25 and B
PT1000 = const(2)  # IEC 60751
KIND_NAMES = ("unused", "ntc", "pt1000")


def check(name: str, value: int, minimum: int, maximum: int) -> int:
    """Return `value`, or raise ValueError naming it and its bounds."""
    if not minimum <= value <= maximum:
        raise ValueError(f"{name}: {value} is outside {minimum}..{maximum}")
    return value


class ChannelParams:
    """One temperature channel, in the order of Readings.temp_mv.

    kind          UNUSED, NTC or PT1000
    r25_ohm       NTC at 25.0 C, 1000..100000 ohm
    beta          NTC B value, 2500..4500 K
    pullup_ohm    NTC 500..200000 ohm, narrowed by R25 and B so that -30 C is not taken for a
                  broken wire nor 120 C for a short; PT1000 300..10000 ohm (above, 1 mV is > 1 K)
    is_contact    True: this contact carries Readings.charger_ma, so it is compared with the other
                  contacts and must move with the current. False for a housing sensor, or for the
                  DC contacts of an AC charge.
    margin_decic  0..300, 0.1 K: how much hotter the contact can be than a sensor mounted away from
                  it, at rated current and with its lag. Added before any limit is applied.
    """

    def __init__(  # noqa: PLR0913 - keywords of a record
        self,
        kind: int = NTC,
        *,
        r25_ohm: int = 10000,
        beta: int = 3435,
        pullup_ohm: int = 10000,
        is_contact: bool = True,
        margin_decic: int = 0,
    ):
        self.kind = check("kind", kind, UNUSED, PT1000)
        self.r25_ohm = check("r25_ohm", r25_ohm, 1000, 100000)
        self.beta = check("beta", beta, 2500, 4500)
        if kind == PT1000:
            check("pullup_ohm", pullup_ohm, 300, 10000)
        else:
            check("pullup_ohm", pullup_ohm, 500, 200000)
        self.pullup_ohm = pullup_ohm
        self.is_contact = is_contact
        self.margin_decic = check("margin_decic", margin_decic, 0, 300)


class ThermalLimits:
    """What the port does when it gets warm. Temperatures in 0.1 C, the channel's margin included.

    derate_start_decic  300..1000, default 600: full current up to here
    derate_end_decic    start + 50..1050, default 850: derate_end_pct from here on, a straight line
                        between
    derate_end_pct      20..100 % of rated_ma, default 50
    stop_decic          derate_end..1100, default 900: over temperature. IEC 61851-23 CC.4.2: 1200
                        at most
    resume_decic        200..stop - 50, default 700: over temperature ends below it
    trips_to_latch      1..10, default 2: so many over-temperature trips in one plug-in latch until
                        the connector was pulled and the contacts are cool
    rated_ma            6000..80000 mA, default 32000: what the inlet is built for, per contact
    blind_pct           0..100 % of rated_ma, default 50: for an inlet without any sensor
    disagree_decic      100..600, default 350, 0.1 K: contacts further apart for 10 s halve
                        the current
    jump_decic          50..500, default 150, 0.1 K: more within 10 s, up or down, is no
                        temperature
    flow_ma             6000..32000 mA, default 10000: current that warms a contact within 10 min
    """

    def __init__(  # noqa: PLR0913 - keywords of a record
        self,
        *,
        derate_start_decic: int = 600,
        derate_end_decic: int = 850,
        derate_end_pct: int = 50,
        stop_decic: int = 900,
        resume_decic: int = 700,
        trips_to_latch: int = 2,
        rated_ma: int = 32000,
        blind_pct: int = 50,
        disagree_decic: int = 350,
        jump_decic: int = 150,
        flow_ma: int = 10000,
    ):
        self.derate_start_decic = check("derate_start_decic", derate_start_decic, 300, 1000)
        # 5 K at least, so that the ramp is a ramp and not a step that the loop through the contact
        # would hunt over.
        self.derate_end_decic = check(
            "derate_end_decic", derate_end_decic, derate_start_decic + 50, 1050
        )
        self.derate_end_pct = check("derate_end_pct", derate_end_pct, 20, 100)
        self.stop_decic = check("stop_decic", stop_decic, derate_end_decic, 1100)
        self.resume_decic = check("resume_decic", resume_decic, 200, stop_decic - 50)
        self.trips_to_latch = check("trips_to_latch", trips_to_latch, 1, 10)
        self.rated_ma = check("rated_ma", rated_ma, 6000, 80000)
        self.blind_pct = check("blind_pct", blind_pct, 0, 100)
        self.disagree_decic = check("disagree_decic", disagree_decic, 100, 600)
        self.jump_decic = check("jump_decic", jump_decic, 50, 500)
        self.flow_ma = check("flow_ma", flow_ma, 6000, 32000)
