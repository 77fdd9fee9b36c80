"""Duty and current as the EVSE reads them: IEC 61851-1:2017 Tab A.7 to send, Tab A.8 to judge what is drawn."""


def offer_duty_pct(a: float) -> float:
    """Return the duty that offers `a` per phase, 6..80 A."""
    return a / 0.6 if a <= 51 else min(a / 2.5 + 64, 96.0)


def offered_a(duty_pct: float) -> float:
    """Return the current a duty offers per phase; 0 outside the bands that offer one."""
    if duty_pct < 8 or duty_pct > 97:
        return 0.0
    if duty_pct < 10:
        return 6.0
    return duty_pct * 0.6 if duty_pct <= 85 else min((duty_pct - 64) * 2.5, 80.0)


def allowed_ma(duty_pct: float) -> float:
    """Return what may be drawn before an EVSE may trip: +1.3 A below 12 A, 111 % above (J1772)."""
    a = offered_a(duty_pct)
    return (a + 1.3) * 1000 if a < 12 else a * 1110
