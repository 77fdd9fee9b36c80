"""A port record: what it says, which of it is true, what follows from it for the current, and its bytes on flash.

A record is a dict of the keys of KEYS: words and whole numbers, optional keys left out where nothing is said. `problems`
judges one that a person or a file has written; everything else expects a record without problems. An AC section and a DC
section of one inlet are two records. Every record of inlet 1, the one that this controller drives, governs the section
its power type names, and the strictest counts; those of another inlet are only listed.

Loaded where records are changed, at rest: what a boot needs of them is ports/head.py.
Voltages: J1772 (level 1 120 V, level 2 208..240 V, both with the 5.8 % above that ANSI C84.1 range B allows, and so above
IEC 60038's 253 V), J3400 (277 V), IEC 62196-3 (DC 1000 V): named from memory, not checked against a source.
"""

from micropython import const

VERSION = const(1)
RECORDS_MAX = const(8)
LABEL_BYTES_MAX = const(32)
NOTES_BYTES_MAX = const(160)
WATTS_MAX = const(1000000)
# The longest record: numbers and both texts, each with its length before it.
RECORD_BYTES_MAX = const(210)
HERE = const(1)  # the inlet that this controller drives

STATUSES = ("operational", "out of service", "decommissioned")
OPERATIONAL = STATUSES[0]
OUT_OF_SERVICE = STATUSES[1]
DECOMMISSIONED = STATUSES[2]

# (word, DC, lowest V, highest V, highest mA)
# fmt: off
POWERS = (
    ("AC level 1", False, 100, 127,  16000),
    ("AC level 2", False, 200, 277,  80000),
    ("DC fast",    True,  50,  1500, 1000000),
)
_LEVEL_1 = const(1)  # mask of POWERS, by place
_LEVEL_2 = const(2)
_DC = const(4)
# (word, mask of POWERS that it can carry, most phases, highest V of AC level 2 between phase and neutral, highest V of DC)
CONNECTORS = (
    ("J1772",   _LEVEL_1 | _LEVEL_2,       1, 254, 1500),
    ("CCS1",    _LEVEL_1 | _LEVEL_2 | _DC, 1, 254, 1000),
    ("CCS2",    _LEVEL_2 | _DC,            3, 254, 1000),
    ("CHAdeMO", _DC,                       1, 254, 1000),
    ("NACS",    _LEVEL_1 | _LEVEL_2 | _DC, 1, 277, 1000),
    ("Type 2",  _LEVEL_2,                  3, 254, 1500),
    ("GB/T",    _LEVEL_2 | _DC,            3, 254, 1000),
    ("other",   _LEVEL_1 | _LEVEL_2 | _DC, 3, 277, 1500),
)
# (key, must be there, lowest, highest number; None: a word or a text)
KEYS = (
    ("id",         True,  1, RECORDS_MAX),
    ("inlet",      False, HERE, 8),
    ("label",      True,  None, None),
    ("connector",  True,  None, None),
    ("power",      True,  None, None),
    ("max_w",      True,  1, WATTS_MAX),
    ("volts_v",    False, 50, 1500),
    ("current_ma", False, 1000, 1000000),
    ("phases",     False, 1, 3),
    ("status",     False, None, None),
    ("notes",      False, None, None),
)
# fmt: on
OTHER = "other"
_WORDS = (
    ("connector", tuple([row[0] for row in CONNECTORS])),
    ("power", tuple([row[0] for row in POWERS])),
    ("status", STATUSES),
)
_TEXTS = (("label", LABEL_BYTES_MAX), ("notes", NOTES_BYTES_MAX))

# Bits of the head's third byte.
HEAD_BYTES = const(12)
AC_OUT = const(1)
AC_GONE = const(2)
AC_LIMITED = const(4)
_DC_SHIFT = const(4)
# Bits of a record's flags: the number was given.
_HAS_VOLTS = const(1)
_HAS_CURRENT = const(2)
_HAS_PHASES = const(4)
_FIXED_BYTES = const(15)


def _place(table, word: str) -> int:
    for n in range(len(table)):
        if table[n] == word or table[n][0] == word:
            return n
    raise ValueError("no such word: %s" % word)


def connector_of(record):
    """Return the row of CONNECTORS."""
    return CONNECTORS[_place(CONNECTORS, record["connector"])]


def power_of(record):
    """Return the row of POWERS."""
    return POWERS[_place(POWERS, record["power"])]


def is_dc(record) -> bool:
    """Tell whether the record is of a DC section."""
    return power_of(record)[1]


def volts(record) -> int:
    """Return the volts that its power counts at: as given, else the highest there may be, so that it is never exceeded."""
    if "volts_v" in record:
        return record["volts_v"]
    row = power_of(record)
    connector = connector_of(record)
    return min(row[3], connector[4] if row[1] else connector[3])


def phases(record) -> int:
    """Return the phases that its power is spread over: as given, else the most there may be."""
    if "phases" in record:
        return record["phases"]
    row = power_of(record)
    return 1 if row[1] or row[0] == POWERS[0][0] else connector_of(record)[2]


def limit_ma(record) -> int:
    """Return the current that keeps within its power, and its current where one is given; per phase, rounded down, mA."""
    # At most 1000000 * 1000, which is below 2**30.
    ma = record["max_w"] * 1000 // (volts(record) * phases(record))
    return min(ma, record["current_ma"]) if "current_ma" in record else ma


def with_defaults(record) -> dict:
    """Return a record with what is usual for keys that are left out."""
    made = {"inlet": HERE, "status": OPERATIONAL, "notes": ""}
    made.update(record)
    return made


# ------------------------------------------------------------------------------------------- checks


def problems(record) -> list:
    """Return what is wrong with a record as it was written, a sentence each; an empty list where nothing is."""
    if not isinstance(record, dict):
        return ["a port is not a table of keys: write id, label, connector, power and max_w"]
    number = record.get("id")
    name = "port %s" % (str(number)[:12] if _is_whole(number) else "without a number")
    found = []
    for key in sorted([str(key) for key in record]):
        if not any(row[0] == key for row in KEYS):
            found.append("%s, %s: there is no such key" % (name, key[:40]))
    for row in KEYS:
        _check_key(found, name, record, row)
    if not found:
        _check_fit(found, name, with_defaults(record))
    return found


def _is_whole(value) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _check_key(found, name, record, row) -> None:  # noqa: C901 - one branch a kind
    key = row[0]
    if key not in record:
        if row[1]:
            found.append("%s, %s: it is missing" % (name, key))
        return
    value = record[key]
    if row[2] is not None:
        if not _is_whole(value):
            found.append("%s, %s: it is not a whole number" % (name, key))
        elif value < row[2] or value > row[3]:
            found.append(
                "%s, %s: %s is outside %d..%d" % (name, key, str(value)[:12], row[2], row[3])
            )
        return
    if not isinstance(value, str):
        found.append("%s, %s: it is not a text" % (name, key))
        return
    for word_key, words in _WORDS:
        if key == word_key and value not in words:
            found.append("%s, %s: '%s' is none of %s" % (name, key, value[:40], ", ".join(words)))
    for text_key, most in _TEXTS:
        if key == text_key:
            _check_text(found, name, key, value, most)


def _check_text(found, name, key, value, most) -> None:
    try:
        length = len(value.encode())
    except UnicodeError:
        found.append("%s, %s: it has a character that cannot be stored" % (name, key))
        return
    if length > most:
        found.append("%s, %s: it takes %d bytes, %d at most" % (name, key, length, most))
    if key == "label" and not value.strip():
        found.append("%s, label: it is empty" % name)
    for character in value:
        if ord(character) < 32 or ord(character) == 127:
            found.append("%s, %s: it must be one line without control characters" % (name, key))
            return


def _check_fit(found, name, record) -> None:
    """Check what only the keys together say; each by itself is right."""
    connector = connector_of(record)
    power = power_of(record)
    kind = record["power"]
    if record["connector"] == OTHER and not record["notes"].strip():
        found.append("%s, notes: they must say which connector it is, as it is 'other'" % name)
    if not connector[1] >> _place(POWERS, kind) & 1:
        fitting = [POWERS[n][0] for n in range(len(POWERS)) if connector[1] >> n & 1]
        found.append(
            "%s, power: %s does not carry %s, but %s"
            % (name, connector[0], kind, " and ".join(fitting))
        )
        return
    highest_v = min(power[3], connector[4] if power[1] else connector[3])
    if not power[2] <= volts(record) <= highest_v:
        found.append(
            "%s, volts_v: %s at %s has %d..%d V%s"
            % (name, kind, connector[0], power[2], highest_v,
               "" if power[1] else " between phase and neutral")
        )  # fmt: skip
    if record.get("current_ma", 0) > power[4]:
        found.append("%s, current_ma: %s has %d mA at most" % (name, kind, power[4]))
    most_phases = 1 if power[1] or kind == POWERS[0][0] else connector[2]
    if record.get("phases", 1) > most_phases:
        found.append(
            "%s, phases: %s at %s has %d at most" % (name, kind, connector[0], most_phases)
        )
    if found:
        return
    most_ma = record.get("current_ma", power[4])
    # At most 1500 * 1000000 / 1000 * 1 of DC, 277 * 80 * 3 of AC. 1 %: plates are rounded, 230 V and 32 A are sold as 7.4 kW.
    most_w = volts(record) * (most_ma // 100) // 10 * phases(record)
    if record["max_w"] > most_w + most_w // 100:
        found.append(
            "%s, max_w: %d W is more than %d V, %d mA and %d %s make (%d W)"
            % (name, record["max_w"], volts(record), most_ma, phases(record),
               "phase" if phases(record) == 1 else "phases", most_w)
        )  # fmt: skip


# --------------------------------------------------------------------------------------- on flash


def to_bytes(record) -> bytes:
    """Return a record without problems as bytes, RECORD_BYTES_MAX at most."""
    record = with_defaults(record)
    flags = 0
    if "volts_v" in record:
        flags |= _HAS_VOLTS
    if "current_ma" in record:
        flags |= _HAS_CURRENT
    if "phases" in record:
        flags |= _HAS_PHASES
    made = bytes(
        (
            record["id"],
            record["inlet"],
            _place(CONNECTORS, record["connector"]),
            _place(POWERS, record["power"]),
            _place(STATUSES, record["status"]),
            record.get("phases", 0),
            flags,
        )
    )
    made += record["max_w"].to_bytes(3, "little")
    made += record.get("volts_v", 0).to_bytes(2, "little")
    made += record.get("current_ma", 0).to_bytes(3, "little")
    for key, _ in _TEXTS:
        text = record[key].encode()
        made += bytes((len(text),)) + text
    return made


def from_bytes(data: bytes) -> dict:  # noqa: C901 - one branch a mistake
    """Return the record that `data` holds. Raises ValueError, one sentence, where it holds none or one with problems."""
    if len(data) < _FIXED_BYTES:
        raise ValueError("a port record ends after %d bytes" % len(data))
    if data[2] >= len(CONNECTORS) or data[3] >= len(POWERS) or data[4] >= len(STATUSES):
        raise ValueError(
            "port %d: it has a connector, power or status of a later version" % data[0]
        )
    flags = data[6]
    record = {
        "id": data[0],
        "inlet": data[1],
        "connector": CONNECTORS[data[2]][0],
        "power": POWERS[data[3]][0],
        "status": STATUSES[data[4]],
        "max_w": int.from_bytes(data[7:10], "little"),
    }
    if flags & _HAS_VOLTS:
        record["volts_v"] = int.from_bytes(data[10:12], "little")
    if flags & _HAS_CURRENT:
        record["current_ma"] = int.from_bytes(data[12:15], "little")
    if flags & _HAS_PHASES:
        record["phases"] = data[5]
    at = _FIXED_BYTES
    for key, _ in _TEXTS:
        if at >= len(data) or at + 1 + data[at] > len(data):
            raise ValueError("port %d: its %s is cut off" % (data[0], key))
        end = at + 1 + data[at]
        try:
            record[key] = bytes(data[at + 1 : end]).decode()
        except UnicodeError:
            raise ValueError("port %d: its %s is no text" % (data[0], key))
        at = end
    if at != len(data):
        raise ValueError("port %d: more follows than a record has" % data[0])
    found = problems(record)
    if found:
        raise ValueError(found[0])
    return record


def encode(records) -> bytes:
    """Return the payload of the file of records without problems: the head, then each with its length before it."""
    flags = 0
    least_ma = [0, 0]  # of the AC and the DC section; meaningful with its flag
    for given in records:
        record = with_defaults(given)
        if record["inlet"] != HERE:
            continue
        section = 1 if is_dc(record) else 0
        shift = _DC_SHIFT * section
        if record["status"] == OUT_OF_SERVICE:
            flags |= AC_OUT << shift
        elif record["status"] == DECOMMISSIONED:
            flags |= AC_GONE << shift
        ma = limit_ma(record)
        if not flags & AC_LIMITED << shift or ma < least_ma[section]:
            least_ma[section] = ma
        flags |= AC_LIMITED << shift
    made = bytes((VERSION, len(records), flags, 0))
    made += least_ma[0].to_bytes(4, "little") + least_ma[1].to_bytes(4, "little")
    for record in records:
        data = to_bytes(record)
        made += bytes((len(data),)) + data
    return made


def decode(payload: bytes) -> list:
    """Return the records of a payload, by their number. Raises ValueError, one sentence, where it is not whole."""
    if len(payload) < HEAD_BYTES or payload[0] != VERSION:
        raise ValueError("these are no port records of this version")
    records = []
    at = HEAD_BYTES
    while at < len(payload):
        end = at + 1 + payload[at]
        if end > len(payload):
            raise ValueError("the port records are cut off")
        record = from_bytes(payload[at + 1 : end])
        for other in records:
            if other["id"] == record["id"]:
                raise ValueError("port %d is there twice" % record["id"])
        records.append(record)
        at = end
    if len(records) != payload[1] or encode(records) != payload:
        raise ValueError("the port records contradict their own head")
    return records
