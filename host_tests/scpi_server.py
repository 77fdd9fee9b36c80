"""Signal generators that are none, on a real TCP socket of this machine: what they would send can be asked of them.

Written from the facts of the programming guides, not from the dialect files: a command that a guide does not have is an
error here. They forget nothing, clamp what they cannot send, and misbehave on request (`ScpiServer`).
"""

import re
import socket
import threading

LIMIT_V = 10.0


def header(pattern):
    """Return the regular expression of a SCPI header such as SOURce#:VOLTage:HIGH, in long and short form."""
    nodes = []
    for node in pattern.split(":"):
        name = node.rstrip("#")
        short = "".join(char for char in name if not char.islower())
        nodes.append("(?:%s|%s)%s" % (name.upper(), short, "1" if node.endswith("#") else ""))
    return re.compile("^:?" + ":".join(nodes) + "$")


class TreeGenerator:
    """A generator with a SCPI tree: Rigol, or Keysight with `is_keysight`."""

    HEADERS = {
        header(pattern): name
        for pattern, name in {
            "OUTPut#": "on", "OUTPut#:STATe": "on", "OUTPut#:LOAD": "load", "OUTPut#:POLarity": "polarity",
            "SOURce#:FREQuency": "frequency", "SOURce#:FUNCtion": "function", "SOURce#:APPLy:DC": "dc",
            "SOURce#:FUNCtion:SQUare:DCYCle": "duty", "SOURce#:VOLTage:HIGH": "high",
            "SOURce#:VOLTage:LOW": "low", "SOURce#:VOLTage:OFFSet": "offset",
            "SOURce#:BURSt:MODE": "burst_mode", "SOURce#:BURSt:NCYCles": "kept",
            "SOURce#:BURSt:INTernal:PERiod": "burst_s", "SOURce#:BURSt:PHASe": "phase",
            "SOURce#:BURSt:STATe": "burst", "SYSTem:ERRor": "error",
        }.items()
    }  # fmt: skip
    KEYSIGHT = {
        header(p): n for p, n in {"TRIGger#:SOURce": "trigger", "UNIT:ANGLe": "angle"}.items()
    }
    RIGOL = {
        header(pattern): name
        for pattern, name in {
            "SOURce#:BURSt:TRIGger:SOURce": "trigger", "SOURce#:BURSt:TDELay": "delay",
            "SOURce#:BURSt:IDLE": "idle",
        }.items()
    }  # fmt: skip

    def __init__(self, idn, is_keysight=False):
        self.idn = idn
        self.is_keysight = is_keysight
        self.headers = self.HEADERS | (self.KEYSIGHT if is_keysight else self.RIGOL)
        self.errors = []
        self.ignores = set()  # names of settings that are taken without effect
        self.reset()

    def reset(self):
        self.values = {
            "on": False, "load": 50.0, "polarity": "NORM", "frequency": 1000.0, "function": "SIN", "duty": 50.0,
            "offset": 0.0, "high": 2.5, "low": -2.5, "burst": False, "burst_mode": "TRIG", "kept": 1.0,
            "burst_s": 0.01, "phase": 0.0, "trigger": "IMM" if self.is_keysight else "INT", "angle": "DEG",
            "idle": "FPT", "delay": 0.0,
        }  # fmt: skip

    def answer(self, line):
        """Carry a line out; return its answer, None for a command."""
        head, _, argument = line.strip().partition(" ")
        is_question = head.endswith("?")
        head = head.rstrip("?").upper()
        if head.startswith("*"):
            return self._common(head, is_question)
        name = next((name for form, name in self.headers.items() if form.match(head)), None)
        if name is None:
            self.errors.append((-113, "Undefined header"))
            return None
        if is_question:
            return self._tell(name)
        if name not in self.ignores:
            self._set(name, argument)
        return None

    def _common(self, head, is_question):
        if is_question:
            return {"*IDN": self.idn, "*OPC": "1"}[head]
        if head == "*RST":
            self.reset()
        elif head == "*CLS":
            self.errors.clear()
        else:
            self.errors.append((-113, "Undefined header"))
        return None

    def _tell(self, name):
        if name == "error":
            code, words = self.errors.pop(0) if self.errors else (0, "No error")
            return ('%+d,"%s"' if self.is_keysight else '%d,"%s"') % (code, words)
        value = self.values[name]
        if name == "offset" and self.values["function"] != "DC":
            value = (self.values["high"] + self.values["low"]) / 2
        if isinstance(value, bool):
            return str(int(value)) if self.is_keysight else ("OFF", "ON")[value]
        if isinstance(value, float):
            return ("%+.15E" if self.is_keysight else "%.6E") % value
        return value

    def _set(self, name, argument):
        values = self.values
        if name in ("on", "burst"):
            values[name] = {"ON": True, "OFF": False, "1": True, "0": False}[argument]
        elif name == "load":
            values["load"] = float("inf") if argument == "INF" else float(argument)
        elif name == "dc":
            _, _, level = argument.split(",")
            values["function"] = "DC"
            values["offset"] = self._clamp(float(level))
            values["on"] = values["on"] or self.is_keysight
        elif name == "function":
            if values["function"] == "DC" and argument != "DC":
                # The amplitude that still fits at that offset.
                values["high"] = values["offset"] + 0.0005
                values["low"] = values["offset"] - 0.0005
            values["function"] = argument
        elif name in ("high", "low"):
            self._set_level(name, self._clamp(float(argument)))
        elif isinstance(values[name], float):
            values[name] = float(argument)
        else:
            values[name] = argument

    def _set_level(self, name, level):
        values = self.values
        other = "low" if name == "high" else "high"
        sign = 1 if name == "high" else -1
        if (level - values[other]) * sign <= 0:
            self.errors.append((-221, "Settings conflict"))
            if self.is_keysight:
                values[other] = level - sign * 0.001
            else:
                level = values[other] + sign * 0.001
        values[name] = level

    def _clamp(self, level):
        most = LIMIT_V if self.values["load"] > 1e4 else LIMIT_V / 2
        if abs(level) > most:
            self.errors.append((-222, "Data out of range"))
        return max(-most, min(most, level))

    def sends(self):
        """Return what would come out: None, ("dc", V) or ("square", Hz, %, V high, V low, burst).

        burst: None, or (periods sent, periods left out, the level between them).
        """
        values = self.values
        if not values["on"]:
            return None
        assert values["load"] > 1e4
        assert values["polarity"] == "NORM"
        if values["function"] == "DC":
            return ("dc", values["offset"])
        assert values["function"] == "SQU"
        wave = tuple(values[name] for name in ("frequency", "duty", "high", "low"))
        return ("square", *wave, self._burst() if values["burst"] else None)

    def _burst(self):
        values = self.values
        assert values["burst_mode"] == "TRIG"
        assert values["trigger"] == ("IMM" if self.is_keysight else "INT")
        between = "high" if values["phase"] < 3.6 * values["duty"] else "low"
        idle = {"FPT": between, "BOTTOM": "low", "TOP": "high"}[values["idle"]]
        periods = round(values["burst_s"] * values["frequency"])
        return int(values["kept"]), periods - int(values["kept"]), idle


class SiglentGenerator:
    """A Siglent SDG: lists of pairs, taken left to right, clamped without a word; no error queue."""

    def __init__(self, idn):
        self.idn = idn
        self.errors = []  # commands that its guide does not have
        self.ignores = set()
        self.reset()

    def reset(self):
        self.is_on = False
        self.load = "HZ"
        self.wave = {"WVTP": "SINE", "FRQ": 1000.0, "HLEV": 2.0, "LLEV": -2.0, "DUTY": 50.0}
        self.dc = 0.0
        self.burst = {"STATE": "OFF", "GATE_NCYC": "NCYC", "TRSR": "INT", "STPS": 0.0, "PRD": 0.01, "TIME": 1.0}  # fmt: skip

    def answer(self, line):
        line = line.strip()
        if line in ("*IDN?", "*OPC?"):
            return self.idn if line == "*IDN?" else "1"
        if line == "*RST":
            self.reset()
            return None
        head, _, rest = line.partition(" ")
        form = re.match(r"^C1:(OUTP|BSWV|BTWV)(\?)?$", head)
        if form is None or len(line) > 50:
            self.errors.append(line)
            return None
        if form.group(2):
            return "C1:%s %s" % (form.group(1), getattr(self, "_tell_" + form.group(1).lower())())
        words = rest.split(",")
        if form.group(1) == "OUTP" and words[0] in ("ON", "OFF"):
            self.is_on = words.pop(0) == "ON"
        for key, value in zip(words[0::2], words[1::2], strict=True):
            if key not in self.ignores:
                getattr(self, "_" + form.group(1).lower())(key, value)
        return None

    def _outp(self, key, value):
        if key == "LOAD":
            self.load = value
        elif (key, value) != ("PLRT", "NOR"):
            self.errors.append((key, value))

    def _bswv(self, key, value):
        wave = self.wave
        if key == "WVTP":
            wave["WVTP"] = value
        elif key == "OFST" and wave["WVTP"] == "DC":
            self.dc = max(-LIMIT_V, min(LIMIT_V, float(value)))
        elif key == "HLEV":
            wave[key] = max(wave["LLEV"] + 0.002, min(LIMIT_V, float(value)))
        elif key == "LLEV":
            wave[key] = min(wave["HLEV"] - 0.002, max(-LIMIT_V, float(value)))
        elif key == "FRQ" and wave["WVTP"] != "DC":
            wave[key] = float(value)
        elif key == "DUTY" and wave["WVTP"] == "SQUARE":
            wave[key] = float(value)

    def _btwv(self, key, value):
        if key == "STATE" or self.burst["STATE"] == "ON":
            self.burst[key] = float(value) if isinstance(self.burst[key], float) else value

    def _tell_outp(self):
        return "%s,LOAD,%s,PLRT,NOR" % ("ON" if self.is_on else "OFF", self.load)

    def _tell_bswv(self):
        wave = self.wave
        if wave["WVTP"] == "DC":
            return "WVTP,DC,OFST,%gV" % self.dc
        return "WVTP,%s,FRQ,%.10gHZ,PERI,%gS,AMP,%gV,OFST,%gV,HLEV,%gV,LLEV,%gV,PHSE,0,DUTY,%g" % (
            wave["WVTP"], wave["FRQ"], 1 / wave["FRQ"], wave["HLEV"] - wave["LLEV"],
            (wave["HLEV"] + wave["LLEV"]) / 2, wave["HLEV"], wave["LLEV"], wave["DUTY"],
        )  # fmt: skip

    def _tell_btwv(self):
        burst = self.burst
        if burst["STATE"] == "OFF":
            return "STATE,OFF"
        return "STATE,ON,PRD,%gS,STPS,%g,TRSR,%s,TRMD,OFF,TIME,%g,DLAY,0S,GATE_NCYC,%s,CARR,%s" % (
            burst["PRD"], burst["STPS"], burst["TRSR"], burst["TIME"], burst["GATE_NCYC"], self._tell_bswv(),
        )  # fmt: skip

    def sends(self):
        """Return what would come out, as TreeGenerator does."""
        assert not self.errors
        if not self.is_on:
            return None
        assert self.load == "HZ"
        wave = self.wave
        if wave["WVTP"] == "DC":
            return ("dc", self.dc)
        assert wave["WVTP"] == "SQUARE"
        burst = None
        if self.burst["STATE"] == "ON":
            assert (self.burst["GATE_NCYC"], self.burst["TRSR"]) == ("NCYC", "INT")
            kept = int(self.burst["TIME"])
            level = "high" if self.burst["STPS"] < 3.6 * wave["DUTY"] else "low"
            burst = (kept, round(self.burst["PRD"] * wave["FRQ"]) - kept, level)
        return ("square", wave["FRQ"], wave["DUTY"], wave["HLEV"], wave["LLEV"], burst)


class ScpiServer:
    """An instrument on a raw socket, as TCPIP::127.0.0.1::PORT::SOCKET. Use it in a `with`.

    late: commands whose answer comes only after the next line. raw: command -> bytes sent instead of its answer.
    hangs_up_at: the command on which the connection is closed.
    """

    def __init__(self, instrument, late=(), raw=None, hangs_up_at=None):
        self.instrument = instrument
        self.late = set(late)
        self.raw = raw or {}
        self.hangs_up_at = hangs_up_at
        self.lines = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self._connection = None
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def address(self):
        return "TCPIP::127.0.0.1::%d::SOCKET" % self._server.getsockname()[1]

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        if self._connection is not None:
            try:
                self._connection.shutdown(socket.SHUT_RDWR)
            except OSError:  # the other end was first
                self._connection = None
        self._thread.join(5)
        assert not self._thread.is_alive()

    def _serve(self):
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:  # closed
                return
            self._connection = connection
            with connection, connection.makefile("rb") as stream:
                self._talk(connection, stream)

    def _talk(self, connection, stream):
        owed = b""
        # pyvisa-py sends line by line and lets Nagle wait for each acknowledgement, which is 40 ms late where it may be.
        quick = getattr(socket, "TCP_QUICKACK", None)
        try:
            for line in stream:
                if quick is not None:
                    connection.setsockopt(socket.IPPROTO_TCP, quick, 1)
                text = line.decode().strip()
                self.lines.append(text)
                if text == self.hangs_up_at:
                    return
                answer = self.instrument.answer(text)
                data = b"" if answer is None else answer.encode() + b"\n"
                data = self.raw.get(text, data)
                if text in self.late:
                    owed += data
                    continue
                connection.sendall(owed + data)
                owed = b""
        except OSError:  # the client has gone
            return
