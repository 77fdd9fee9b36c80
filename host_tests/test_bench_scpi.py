"""The SCPI driver against generators on a real socket: what they would send, and every way they can fail."""

import pytest
from scpi_server import ScpiServer, SiglentGenerator, TreeGenerator

from inletctl.bench.instruments.dialect import COMMANDS, READS, dialect_of, dialects, number
from inletctl.bench.instruments.generator import open_source
from inletctl.bench.instruments.scan import Found, find_instruments
from inletctl.bench.instruments.scpi import open_scpi
from inletctl.errors import UserError

SIGLENT = "Siglent Technologies,SDG2042X,SDG2XCAC2R0000,2.01.01.23R7"
DG800 = "Rigol Technologies,DG822,DG8A000000000,00.02.06.00.01"
DG1000Z = "Rigol Technologies,DG1062Z,DG1ZA000000000,03.01.12"
KEYSIGHT = "Agilent Technologies,33522A,MY50000000,2.03-1.19-2.00-52-00"
DIALECT_OF = {
    SIGLENT: "siglent-sdg",
    DG800: "rigol-dg800",
    "RIGOL TECHNOLOGIES,DG992,DG9A0,1": "rigol-dg800",
    DG1000Z: "rigol-dg1000z",
    KEYSIGHT: "keysight-33500",
    "Keysight Technologies,33509B,MY52000000,5.03": "keysight-33500",
}
TIMEOUT_MS = 100


def make(idn):
    if idn == SIGLENT:
        return SiglentGenerator(idn)
    return TreeGenerator(idn, is_keysight=idn == KEYSIGHT)


@pytest.fixture(params=[SIGLENT, DG800, DG1000Z, KEYSIGHT], ids=lambda idn: idn.split(",")[1])
def rig(request):
    """Return (the generator, the source that speaks to it), with an amplifier of 2."""
    generator = make(request.param)
    with ScpiServer(generator) as server:
        source = open_scpi(server.address, gain=2)
        yield generator, source
        source.close()
        assert generator.sends() is None


def close_to(found, wanted):
    return found[0] == wanted[0] and found[1:5] == pytest.approx(wanted[1:5], abs=1e-6)


# ------------------------------------------------------------------------------------ dialects


def test_every_dialect_says_all_that_the_driver_needs():
    assert set(dialects()) == {"siglent-sdg", "rigol-dg800", "rigol-dg1000z", "keysight-33500"}
    for dialect in dialects().values():
        assert tuple(dialect.commands) == COMMANDS
        assert tuple(dialect.read) == READS
        assert set(dialect.idle) in (set(), {"low", "high"})
        assert 0 < dialect.duty_min_pct < 1
        assert 0 <= dialect.duty_error_pct < 0.1


@pytest.mark.parametrize(("idn", "name"), DIALECT_OF.items())
def test_instruments_are_known_by_what_they_say_they_are(idn, name):
    assert [one.name for one in dialects().values() if one.fits(idn)] == [name]


@pytest.mark.parametrize(
    "idn",
    [
        "Siglent Technologies,SDS1202X-E,SDS1E,1.3.27",
        "Siglent Technologies,SDG1025,SDG10000,1",
        "RIGOL TECHNOLOGIES,DG852 Pro,DG8R0,00.02",
        "RIGOL TECHNOLOGIES,DG4162,DG4E0,00.01",
        "Keysight Technologies,33622A,MY5,1",
        "",
    ],
)
def test_an_instrument_of_another_kind_is_not_taken_for_a_known_one(idn):
    assert dialect_of(idn) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1000HZ", 1000), ("1.25KHZ", 1250), ("1MHZ", 1e6), ("9V", 9), ("-500mV", -0.5), ("53.33", 53.33),
        ("+1.000000000000000E+03", 1000), ("1e-06HZ", 1e-6), (" 5.000000E+01 ", 50), ("0.5", 0.5), ("12 %", 12),
    ],
)  # fmt: skip
def test_numbers_are_read_as_instruments_write_them(text, value):
    assert number(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "V", "1000 apples", "infS", "1.2.3", "--3", "nan"])
def test_what_is_no_number_is_none(text):
    with pytest.raises(ValueError, match="no number"):
        number(text)


# ------------------------------------------------------------------------------------ signals


def test_a_wave_comes_out_as_it_was_asked_for(rig):
    generator, source = rig
    source.set(1037.3, 53.33, 12_000, -12_000)
    source.check()
    assert close_to(generator.sends(), ("square", 1037.3, 53.33, 6, -6))


def test_nothing_comes_out_before_the_first_setting(rig):
    generator, source = rig
    assert generator.sends() is None
    source.check()


def test_every_step_of_a_sweep_comes_out(rig):
    generator, source = rig
    for duty_pct in (3, 7.9, 8, 53.33, 96.99, 97, 10):
        source.set(1000, duty_pct, 9000, -12_000)
        source.check()
        assert close_to(generator.sends(), ("square", 1000, duty_pct, 4.5, -6))
    for frequency_hz in (500, 949.9, 1050, 2000):
        source.set(frequency_hz, 10, 9000, -12_000)
        source.check()
        assert close_to(generator.sends(), ("square", frequency_hz, 10, 4.5, -6))


@pytest.mark.parametrize("before_mv", [12_000, 9000, 0, -12_000, -15_000])
@pytest.mark.parametrize(
    ("high_mv", "low_mv"), [(12_000, -12_000), (3000, 1000), (-1000, -11_000)]
)
def test_any_levels_come_out_after_any_steady_level(rig, before_mv, high_mv, low_mv):
    generator, source = rig
    source.steady(before_mv)
    source.check()
    assert generator.sends() == ("dc", before_mv / 2000)
    source.set(1000, 50, high_mv, low_mv)
    source.check()
    assert close_to(generator.sends(), ("square", 1000, 50, high_mv / 2000, low_mv / 2000))


@pytest.mark.parametrize("first", [(15_000, 12_000), (-12_000, -15_000), (12_000, -12_000)])
def test_levels_may_pass_each_other_from_one_wave_to_the_next(rig, first):
    generator, source = rig
    source.set(1000, 50, *first)
    for levels in ((6000, -6000), first):
        source.set(1000, 50, *levels)
        source.check()
        assert close_to(
            generator.sends(), ("square", 1000, 50, levels[0] / 2000, levels[1] / 2000)
        )


def test_0_and_100_percent_are_steady_low_and_high(rig):
    generator, source = rig
    source.set(1000, 0, 12_000, -12_000)
    source.check()
    assert generator.sends() == ("dc", -6)
    source.set(1000, 100, 12_000, -12_000)
    source.check()
    assert generator.sends() == ("dc", 6)


@pytest.mark.parametrize("gap", ["low", "high"])
def test_lost_periods_are_left_out_at_the_level_asked_for_until_the_next_setting(rig, gap):
    generator, source = rig
    source.set(1000, 20, 12_000, -12_000)
    source.burst(3, 50, gap)
    source.check()
    assert generator.sends()[5] == (47, 3, gap)
    source.set(1000, 20, 12_000, -12_000)
    source.check()
    assert generator.sends()[5] is None


def test_a_steady_level_ends_the_lost_periods(rig):
    generator, source = rig
    source.set(1000, 20, 12_000, -12_000)
    source.burst(3, 50)
    source.steady(12_000)
    source.check()
    assert generator.sends() == ("dc", 6)


def test_the_output_is_open_after_off_and_back_with_the_next_setting(rig):
    generator, source = rig
    source.set(1000, 20, 12_000, -12_000)
    source.off()
    source.check()
    assert generator.sends() is None
    source.set(1000, 20, 12_000, -12_000)
    source.check()
    assert close_to(generator.sends(), ("square", 1000, 20, 6, -6))


def test_only_what_changes_is_sent_and_nothing_that_stays():
    with ScpiServer(make(DG800)) as server:
        source = open_scpi(server.address, gain=2)
        source.set(1000, 50, 12_000, -12_000)
        del server.lines[:]
        source.set(1000, 50.1, 12_000, -12_000)
        source.set(1000, 50.1, 12_000, -12_000)
        source.steady(9000)
        assert server.lines == [
            ":SOUR1:FUNC:SQU:DCYC 50.1", "*OPC?", "*OPC?", ":SOUR1:APPL:DC 1,1,4.5", "*OPC?",
        ]  # fmt: skip
        source.close()


def test_the_report_is_told_what_it_is_and_through_what_amplifier():
    with ScpiServer(make(KEYSIGHT)) as server:
        source = open_source(server.address, gain=1.5)
        assert source.identity() == "%s at %s (Keysight 33500, amplifier x1.5)" % (
            KEYSIGHT,
            server.address,
        )
        assert source.settle_us == 50_000
        assert source.duty_error_pct_x100 == 1
        assert source.sets_levels
        source.close()


# ------------------------------------------------------------------------------------ refusals


def refused(call, *parts, status=None):
    with pytest.raises(UserError) as told:
        call()
    text = str(told.value)
    assert text.endswith((".", "?"))
    assert "\n" not in text
    for part in parts:
        assert part in text
    if status is not None:
        assert told.value.exit_status == status


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ((1000, 50, 12_001, 0), "at most 10 V"),
        ((1000, 50, 0, -12_000), "--gain"),
        ((1000, 0.005, 9000, -9000), "0.01..99.99 %"),
        ((1000, 100.1, 9000, -9000), "0..100 %"),
        ((6000, 50, 9000, -9000), "100..5000 Hz"),
        ((50, 50, 9000, -9000), "100..5000 Hz"),
        ((1000, 50, -9000, 9000), "not above"),
        ((1000, 50, 16_000, 0), "+-15 V"),
    ],
)
def test_what_cannot_be_sent_is_refused_before_anything_is(asked, part):
    with ScpiServer(make(SIGLENT)) as server:
        source = open_scpi(server.address)
        source.set(1000, 50, 9000, -9000)
        before = list(server.lines)
        refused(lambda: source.set(*asked), part, status=2)
        assert server.lines == before
        source.check()
        source.close()


def test_lost_periods_need_a_wave_and_a_sense():
    with ScpiServer(make(KEYSIGHT)) as server:
        source = open_scpi(server.address)
        source.steady(9000)
        refused(lambda: source.burst(1, 10), "No wave")
        source.set(1000, 50, 9000, -9000)
        refused(lambda: source.burst(10, 10), "10 of each 10")
        refused(lambda: source.burst(0, 10), "0 of each 10")
        refused(lambda: source.burst(1, 10, "middle"), "'middle'")
        source.close()


def test_no_instrument_is_one_sentence():
    with ScpiServer(make(SIGLENT)) as server:
        address = server.address
    refused(lambda: open_scpi(address, timeout_ms=TIMEOUT_MS), address, "Connection refused")
    refused(lambda: open_scpi("GPIB0::9::INSTR"), "GPIB0::9::INSTR")
    refused(lambda: open_scpi("USB0::1::2::3::INSTR"), "USB0::1::2::3::INSTR", "PyUSB")
    refused(lambda: open_scpi("BOGUS::1"), "BOGUS::1")


def test_a_gain_out_of_all_reason_is_refused():
    for gain in (0, -1, 1000):
        refused(lambda gain=gain: open_scpi("TCPIP::127.0.0.1::INSTR", gain=gain), "--gain")


def test_an_unknown_instrument_needs_a_dialect_and_speaks_it():
    clone = TreeGenerator("Clone,AFG-1,0,0")
    with ScpiServer(clone) as server:
        refused(lambda: open_scpi(server.address), "Clone,AFG-1", "--dialect", "rigol-dg800")
        refused(lambda: open_scpi(server.address, dialect="klingon"), "'klingon'", "siglent-sdg")
        source = open_scpi(server.address, dialect="rigol-dg1000z")
        source.set(1000, 50, 9000, -9000)
        source.check()
        assert close_to(clone.sends(), ("square", 1000, 50, 9, -9))
        source.close()


def test_a_dialect_that_the_instrument_does_not_speak_is_refused():
    with ScpiServer(make(SIGLENT)) as server:
        refused(
            lambda: open_scpi(server.address, dialect="keysight-33500"),
            "speaks siglent-sdg and not keysight-33500",
        )


def test_a_wrong_dialect_of_an_unknown_instrument_is_told_by_its_error_queue():
    with ScpiServer(TreeGenerator("Clone,AFG-1,0,0")) as server:
        source = open_scpi(server.address, dialect="keysight-33500")
        source.set(1000, 50, 9000, -9000)
        refused(source.check, "-113, Undefined header", "Keysight 33500", status=1)
        source.close()


# ------------------------------------------------------------------------------------ failures


@pytest.mark.parametrize("idn", [DG800, KEYSIGHT])
def test_an_error_in_the_queue_is_told_and_only_once(idn):
    generator = make(idn)
    with ScpiServer(generator) as server:
        source = open_scpi(server.address)
        source.set(1000, 50, 9000, -9000)
        generator.errors += [(-221, "Settings conflict"), (-350, "Queue overflow"), (-100, "More")]
        refused(source.check, server.address, "-350, Queue overflow", status=1)
        source.check()
        source.close()


@pytest.mark.parametrize(
    ("idn", "ignored", "part"),
    [
        (SIGLENT, "DUTY", "duty 30 %"),
        (SIGLENT, "LLEV", "low -9 V"),
        (DG1000Z, "frequency", "frequency 900 Hz"),
        (KEYSIGHT, "high", "high 9 V"),
    ],
)
def test_a_setting_that_is_not_taken_is_found_by_reading_it_back(idn, ignored, part):
    generator = make(idn)
    generator.ignores.add(ignored)
    with ScpiServer(generator) as server:
        source = open_scpi(server.address)
        source.set(900, 30, 9000, -9000)
        refused(source.check, server.address, "was told " + part, status=1)
        source.close()


def test_knobs_turned_by_somebody_are_found():
    generator = make(DG800)
    with ScpiServer(generator) as server:
        source = open_scpi(server.address)
        source.set(1000, 50, 9000, -9000)
        source.check()
        generator.values["duty"] = 51.0
        refused(source.check, "told duty 50 % and says 51 %", "knobs")
        generator.values["duty"] = 50.0
        generator.values["on"] = False
        refused(source.check, "is not on")
        source.close()


def test_a_late_answer_is_told_and_never_taken_for_the_next_one():
    with ScpiServer(make(DG800), late=[":SOUR1:FREQ?"]) as server:
        source = open_scpi(server.address, timeout_ms=TIMEOUT_MS)
        source.set(1000, 50, 9000, -9000)
        refused(source.check, server.address, ":SOUR1:FREQ?", "within 0.1 s", status=1)
        sent = len(server.lines)
        refused(source.check, "start again", status=1)
        refused(lambda: source.set(1000, 60, 9000, -9000), "start again")
        source.close()
        assert len(server.lines) == sent


def test_an_instrument_that_never_answers_is_told():
    with ScpiServer(make(DG800), late=["*IDN?"]) as server:
        refused(lambda: open_scpi(server.address, timeout_ms=TIMEOUT_MS), "*IDN?", "0.1 s")


def test_an_instrument_that_hangs_up_midway_is_told_and_closed_without_more():
    with ScpiServer(make(SIGLENT), hangs_up_at="C1:OUTP?") as server:
        source = open_scpi(server.address, timeout_ms=TIMEOUT_MS)
        source.set(1000, 50, 9000, -9000)
        refused(source.check, server.address, status=1)
        source.close()


@pytest.mark.parametrize(
    ("raw", "part"),
    [
        ({"*IDN?": b"\xff\xfe\x00\n"}, "no text"),
        ({"*OPC?": b"0\n"}, "*OPC?"),
        ({"C1:OUTP?": b"hello\n"}, "'hello'"),
        ({"C1:BSWV?": b"C1:BSWV WVTP,SQUARE,FRQ,manyHZ\n"}, "'manyHZ', which is no number"),
        ({"C1:BSWV?": b"C1:BSWV WVTP,SQUARE\n"}, "says nothing of its frequency"),
    ],
)
def test_garbage_is_told_with_what_it_was(raw, part):
    with ScpiServer(make(SIGLENT), raw=raw) as server:

        def use():
            source = open_scpi(server.address, timeout_ms=TIMEOUT_MS)
            try:
                source.set(1000, 50, 9000, -9000)
                source.check()
            finally:
                source.close()

        refused(use, server.address, part, status=1)


def test_an_error_queue_of_garbage_is_told():
    with ScpiServer(make(KEYSIGHT), raw={"SYST:ERR?": b"what\n"}) as server:
        source = open_scpi(server.address)
        source.set(1000, 50, 9000, -9000)
        refused(source.check, "'what'", "error queue", status=1)
        source.close()


# -------------------------------------------------------------------------------- pyvisa-sim


def test_the_driver_speaks_with_pyvisas_own_simulation(request):
    backend = "%s@sim" % (request.path.parent / "dg1000z.yaml")
    source = open_scpi("TCPIP::192.0.2.1::inst0::INSTR", backend=backend)
    source.set(1000, 53.33, 9000, -9000)
    source.check()
    source.set(1050, 10, 6000, -9000)
    source.check()
    source.steady(9000)
    source.check()
    source.close()


def test_scan_finds_instruments_and_their_dialect_and_leaves_serial_ports_alone(request):
    backend = "%s@sim" % (request.path.parent / "dg1000z.yaml")
    assert find_instruments(backend) == [
        Found("TCPIP0::192.0.2.1::inst0::INSTR", DG1000Z, "rigol-dg1000z"),
        Found("TCPIP0::192.0.2.2::inst0::INSTR", "Somebody,SCOPE,1,1", None),
        Found("TCPIP0::192.0.2.3::inst0::INSTR", "", None),
    ]
