"""The firmware's codecs against cantools, both ways, for 100,000 random signal sets; and what they do with bad values.

cantools reads the DBC files that docs/ ships, so a wrong file fails here as a wrong codec does.
"""

import importlib

import cantools
import pytest
from can_rig import random_raw, seeded
from mpy_run import run_script

from inletctl.can import source
from inletctl.can.codec import pack, unpack
from inletctl.can.codegen import modules
from inletctl.can.dbc import dbc_file, expanded, message_name
from inletctl.can.generate import MODULES, PAGES
from inletctl.errors import UserError
from inletctl.house import FIRMWARE, ROOT

SETS = 100_000
MESSAGES = [(d, m) for d in source.load_all() for m in d.messages]
# Their share of SETS.
EACH = -(-SETS // len(MESSAGES))
SEED = 20261


def id_of(pair):
    return "%s-%s" % (pair[0].name, pair[1].name)


def module_of(dialect, message):
    name = "can_" + dialect.name + ("_" + message.name if message.is_apart else "")
    return importlib.import_module("vehicle." + name)


def value_object(module, message):
    return getattr(module, "".join(part.capitalize() for part in message.name.split("_")))()


def dbc_of(dialect):
    return cantools.database.load_file(ROOT / ("docs/openinlet-%s.dbc" % dialect.name))


def random_values(rng, message):
    """Return the physical values of a random frame, counter and checksum 0."""
    page = rng.choice(message.pages) if message.pages else None
    values = {}
    for s in message.on(page):
        raw = 0 if s.is_e2e else page if s.is_mux else random_raw(rng, s)
        values[s.name] = raw * s.scale + s.offset
    return values


def as_dbc(message, values):
    """Return the same values as the DBC file names them: a mask is a signal a bit."""
    named = {}
    for s in message.signals:
        if s.name in values:
            if s.bit_names:
                for n, (name, _, _, _) in enumerate(expanded(s)):
                    named[name] = values[s.name] >> n & 1
            else:
                named[s.name] = values[s.name]
    return named


@pytest.mark.parametrize("dialect", source.load_all(), ids=lambda d: d.name)
def test_dbc_file_says_what_the_source_says(dialect):
    dbc = dbc_of(dialect)
    assert len(dbc.messages) == len(dialect.messages)
    for message in dialect.messages:
        found = dbc.get_message_by_frame_id(message.id)
        assert found.name == message_name(dialect, message)
        assert (found.length, found.cycle_time) == (message.length, message.cycle_ms)
        assert found.comment == message.comment
        assert found.senders == [message.sender.capitalize()]
        signals = {s.name: s for s in found.signals}
        wanted = [(name, s) for s in message.signals for name, _, _, _ in expanded(s)]
        assert sorted(signals) == sorted(name for name, _ in wanted)
        for name, s in wanted:
            if not s.bit_names:
                assert (signals[name].minimum, signals[name].maximum) == (s.minimum, s.maximum)
                assert (signals[name].unit or "") == s.unit
            if s.words:
                assert {int(n): str(w) for n, w in signals[name].choices.items()} == dict(
                    enumerate(s.words)
                )


@pytest.mark.parametrize("pair", MESSAGES, ids=id_of)
def test_firmware_and_cantools_agree_on_random_signal_sets(pair):
    """The inlet's encoder is read by cantools, cantools' frames by the inlet's decoder."""
    dialect, message = pair
    rng = seeded(SEED)
    module = module_of(dialect, message)
    s = value_object(module, message)
    found = dbc_of(dialect).get_message_by_frame_id(message.id)
    is_sent = message in dialect.sent
    run = getattr(module, ("encode_" if is_sent else "decode_") + message.name)
    own = [one.name for one in message.signals if not one.is_e2e]
    data = bytearray(8)
    for _ in range(EACH):
        values = random_values(rng, message)
        if is_sent:
            for name in own:
                if name in values:
                    setattr(s, name, values[name])
            run(data, s)
            said = found.decode(bytes(data[: message.length]), decode_choices=False)
            assert said == as_dbc(message, values)
        else:
            data[: message.length] = found.encode(as_dbc(message, values), strict=False)
            assert run(data, s) is True
            assert {name: getattr(s, name) for name in own} == {name: values[name] for name in own}


@pytest.mark.parametrize("pair", MESSAGES, ids=id_of)
def test_host_codec_agrees_with_cantools(pair):
    dialect, message = pair
    rng = seeded(SEED + 1)
    found = dbc_of(dialect).get_message_by_frame_id(message.id)
    for _ in range(100):
        values = random_values(rng, message)
        data = bytes(
            pack(message, {k: v for k, v in values.items() if k not in ("crc", "counter")})
        )
        assert data == found.encode(as_dbc(message, values), strict=False)
        assert unpack(message, data) == values


@pytest.mark.parametrize("pair", [p for p in MESSAGES if p[1] in p[0].sent], ids=id_of)
def test_encoder_brings_values_into_range_and_rounds_as_it_says(pair):
    dialect, message = pair
    module = module_of(dialect, message)
    encode = getattr(module, "encode_" + message.name)
    data = bytearray(8)
    for one in message.signals:
        if one.is_e2e or one.is_mux or one.bit_names or one.bits == 1:
            continue
        s = value_object(module, message)
        if message.mux is not None:
            setattr(s, message.mux.name, one.page)
        shift = one.scale - 1 if one.rounds_up else 0
        for value in (
            one.minimum - 1, one.minimum, one.minimum + 1, one.maximum - 1, one.maximum,
            one.maximum + 1, -(1 << 29), (1 << 29) - 1, one.minimum + one.scale, one.maximum - one.scale - 1,
        ):  # fmt: skip
            setattr(s, one.name, value)
            encode(data, s)
            held = min(max(value, one.minimum), one.maximum)
            wanted = (held - one.offset + shift) // one.scale * one.scale + one.offset
            said = unpack(message, bytes(data[: message.length]))
            assert said is not None and said[one.name] == wanted


@pytest.mark.parametrize("pair", [p for p in MESSAGES if p[1] in p[0].received], ids=id_of)
def test_decoder_refuses_a_signal_out_of_range_and_changes_nothing(pair):
    dialect, message = pair
    module = module_of(dialect, message)
    decode = getattr(module, "decode_" + message.name)
    tried = 0
    for one in message.signals:
        low, high = (
            (-(1 << one.bits - 1), (1 << one.bits - 1) - 1)
            if one.is_signed
            else (0, (1 << one.bits) - 1)
        )
        if one.is_e2e:
            continue
        for raw in (low, one.raw_min - 1, one.raw_max + 1, high):
            if one.raw_min <= raw <= one.raw_max or not low <= raw <= high:
                continue
            tried += 1
            data = pack(message, {})
            for byte, shift, many, done in one.places():
                data[byte] &= ~((1 << many) - 1 << shift) & 0xFF
                data[byte] |= (raw >> done & (1 << many) - 1) << shift
            s = value_object(module, message)
            before = dict(vars(s))
            assert decode(bytearray(bytes(data).ljust(8, b"\xff")), s) is False, one.name
            assert vars(s) == before
    assert tried or message.name not in (
        "control",
        "charger",
        "dc",
        "battery",
        "vehicle",
        "charge",
        "modem",
    )


def test_spare_bits_change_nothing():
    """What a later version may send there is not ours to refuse."""
    message = source.load("native").message("control")
    module = module_of(source.load("native"), message)
    s = module.Control()
    data = pack(message, {"permission": 1, "limit_ma": 16000, "gear": 1})
    data[3] |= 0xE0
    assert module.decode_control(data, s)
    assert (s.permission, s.limit_ma, s.gear) == (1, 16000, 1)


# ------------------------------------------------------------------- a wrong byte order or scale

BIG_ENDIAN = """
dialect = "trial"
title = "Trial"
note = "x"

[[message]]
id = 0x123
name = "both"
length = 8
cycle_ms = 100
sender = "{sender}"
signals = [
  {{ name = "big", start = 5, bits = 13, big_endian = true, signed = true, min = -4096, max = 4095 }},
  {{ name = "small", start = 22, bits = 12, scale = {scale}, offset = -40, min = -40, max = {top} }},
  {{ name = "last", start = 47, bits = 20, big_endian = true, max = 1048575 }},
]
"""


def trial(sender, scale=5):
    return source.read(
        BIG_ENDIAN.format(sender=sender, scale=scale, top=-40 + 4095 * scale), "trial"
    )


@pytest.mark.parametrize("sender", ["inlet", "vehicle"])
def test_big_endian_and_signed_signals_agree_with_cantools(sender):
    """None of the dialects has one today: the generator is right all the same."""
    dialect = trial(sender)
    message = dialect.message("both")
    made = {}
    exec(modules(dialect)["can_trial"], made)
    found = cantools.database.load_string(dbc_file(dialect), "dbc").messages[0]
    rng = seeded(SEED + 2)
    s = made["Both"]()
    data = bytearray(8)
    for _ in range(500):
        values = random_values(rng, message)
        frame = found.encode(values, strict=False)
        if sender == "inlet":
            for name, value in values.items():
                setattr(s, name, value)
            made["encode_both"](data, s)
            assert bytes(data) == frame
        else:
            data[:] = frame
            assert made["decode_both"](data, s)
            assert vars(s) == values


def test_agreement_with_cantools_would_notice_a_wrong_scale_and_a_wrong_byte_order():
    """Anti-vacuity: the comparison above fails for a codec made from a source that is off by one thing."""
    values = {"big": 100, "small": 60, "last": 12345}
    frame = (
        cantools.database.load_string(dbc_file(trial("inlet")), "dbc").messages[0].encode(values)
    )
    for changed in (
        BIG_ENDIAN.replace("{scale}", "10").replace("{top}", "40910"),
        BIG_ENDIAN.replace("start = 5, bits = 13, big_endian = true", "start = 5, bits = 13"),
        BIG_ENDIAN.replace("start = 22", "start = 23"),
        BIG_ENDIAN.replace("offset = -40, min = -40", "offset = 0, min = 0").replace(
            "{top}", "20475"
        ),
    ):
        dialect = source.read(changed.format(sender="inlet", scale=5, top=20435), "trial")
        made = {}
        exec(modules(dialect)["can_trial"], made)
        s = made["Both"]()
        for name, value in values.items():
            setattr(s, name, value)
        data = bytearray(8)
        made["encode_both"](data, s)
        assert bytes(data) != frame


# ------------------------------------------------------------------------------- the source itself


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (("bits = 13", "bits = 31"), "31 bits"),
        (("start = 22", "start = 14"), "over another"),
        (("length = 8", "length = 4"), "behind its 4 bytes"),
        (("id = 0x123", "id = 0x800"), "11-bit"),
        (("cycle_ms = 100", "cycle_ms = 95"), "multiple of a pass"),
        (("max = 1048575", "max = 1048576"), "does not fit"),
        (('name = "last"', 'name = "big"'), "one name"),
        (('name = "last"', 'name = "Last"'), "lower-case"),
        (("min = -40,", "min = -41,"), "multiples"),
        (('sender = "inlet"', 'sender = "moon"'), "sender"),
    ],
)
def test_source_that_contradicts_itself_is_refused_in_a_sentence(change, word):
    text = BIG_ENDIAN.format(sender="inlet", scale=5, top=20435)
    assert change[0] in text
    with pytest.raises(UserError, match=word) as caught:
        source.read(text.replace(*change), "trial.toml")
    assert str(caught.value).startswith("trial.toml")


def test_messages_on_one_bus_share_no_id_no_pass_and_fit_the_filters():
    native, modem = source.load("native"), source.load("modem")
    with pytest.raises(UserError, match="one identifier"):
        source.check_together("both", native, native)
    again = source.read(
        BIG_ENDIAN.format(sender="inlet", scale=5, top=20435).replace(
            "cycle_ms = 100", "cycle_ms = 300\nphase_ms = 130"
        ),
        "trial",
    )
    with pytest.raises(UserError, match="fall in one pass"):
        source.check_together("both", modem, again)
    for one in source.load_all():
        if one is not modem:
            assert len(one.received) + len(modem.received) <= 6


# ---------------------------------------------------------------------------- what is stored, 32 bit


@pytest.mark.parametrize("path", sorted(PAGES))
def test_generated_file_is_what_the_source_prints(path):
    assert (ROOT / path).read_text(encoding="utf-8") == PAGES[path](), "run `make docs`"


@pytest.mark.parametrize("name", sorted(MODULES))
def test_generated_code_is_short_and_of_small_ints(name):
    text = (FIRMWARE / "vehicle" / (name + ".py")).read_text(encoding="utf-8")
    assert len(text.splitlines()) < 400
    assert "class " in text


def test_every_module_of_every_dialect_is_generated():
    made = {name: d.name for d in source.load_all() for name in modules(d)}
    assert made == MODULES


ON_BOARD = r"""
import micropython

lock = getattr(micropython, "heap_lock", lambda: 0)
unlock = getattr(micropython, "heap_unlock", lambda: 0)
state = [12345]


def number(low, high):
    # A generator of both interpreters: below 2**15 at a time, so that no product leaves a small int.
    state[0] = (state[0] * 109 + 4711) & 0x7FFF
    high_part = state[0]
    state[0] = (state[0] * 109 + 4711) & 0x7FFF
    return low + (high_part << 14 | state[0] & 0x3FFF) % (high - low + 1)


for module, cls, name, is_sent, length, fields in PLAN:
    m = __import__("vehicle." + module, None, None, ("x",))
    s = getattr(m, cls)()
    run = getattr(m, ("encode_" if is_sent else "decode_") + name)
    data = bytearray(8)
    crc = 0
    for n in range(200):
        if is_sent:
            for field, low, high in fields:
                setattr(s, field, number(low, high))
        else:
            for at in range(length):
                data[at] = number(0, 255)
        lock()
        ok = run(data, s)
        unlock()
        if not is_sent:
            print(name, n, ok, [getattr(s, field) for field, _, _ in fields])
        else:
            print(name, n, [data[at] for at in range(length)])
"""


def _plan():
    rows = []
    for dialect, message in MESSAGES:
        module = "can_" + dialect.name + ("_" + message.name if message.is_apart else "")
        cls = "".join(part.capitalize() for part in message.name.split("_"))
        fields = []
        for s in message.signals:
            if not s.is_e2e:
                top = len(message.pages) - 1 if s.is_mux else s.maximum
                # Past its bounds, too, where that is a small int.
                spare = 0 if s.is_mux or top >= 1 << 29 else s.scale
                fields.append((s.name, s.minimum - spare, top + spare))
        rows.append((module, cls, message.name, message in dialect.sent, message.length, fields))
    return rows


@pytest.mark.mpy
def test_codecs_say_the_same_on_a_32_bit_micropython_with_the_heap_locked(tmp_path, capsys):
    script = "PLAN = %r\n" % (_plan(),) + ON_BOARD
    exec(compile(script, "script", "exec"), {"__name__": "script"})
    here = capsys.readouterr().out.splitlines()
    files = ["vehicle/__init__.py", *("vehicle/%s.py" % name for name in sorted(MODULES))]
    assert run_script(tmp_path, script, files, heap_kb=1024) == here
    assert len(here) == 200 * len(MESSAGES)
