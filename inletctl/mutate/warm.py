"""The warm process of one room: pytest and the tests are loaded once, and each mutant is tried in a forked copy.

A mutant inside a function is put in by the function's new code, in a copy that has every test of the room at hand and knows
which of them reach its lines. One that takes effect on import (a table, a constant, a default) goes to a copy of a process that
has imported nothing of the firmware yet: it imports the changed text, and the room's test files one after another.
Either way the tests that kill most go first, and the first that fails ends it. A mutant that changes no value and no code at all
is none.
"""

import contextlib
import gc
import importlib.util
import os
import pickle
import signal
import sys
import time
import traceback
import types
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from typing import Any

from inletctl.house import FIRMWARE, ROOT, use_firmware
from inletctl.mutate.make import Mutant, module_of
from inletctl.mutate.rooms import TESTS

KILLED = "killed"
SURVIVED = "survived"
NO_CHANGE = "no change"
# What a verdict is made with. It takes nothing from the firmware.
_KEPT = ("inletctl", "inletctl.errors", "inletctl.house")
# CPU seconds for a mutant's tests: so many times what they take on the healthy firmware, and a start.
_TIMES = 5
_START_S = 3
_MEMORY_BYTES = 4 << 30
# Tests that a table's own copy is compared with notice every cell, and prove nothing; slow ones and other targets' are not quick.
_LEFT_OUT = "not slow and not mpy and not emulator and not golden"


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant; `by`: the test that failed, "timeout" or "import"."""

    outcome: str
    by: str = ""


# What runs in a copy: takes nothing, gives the verdict.
Trial = Callable[[], Verdict]


def fork() -> int:
    """Copy this process. Python warns where another thread runs: none of those that tests are run by holds a lock for long."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _fork(trial: Callable[[], Any], cpu_s: float) -> Any:
    """Return what `trial` returns in a forked copy; a Verdict where it ran out of time or was ended."""
    import resource  # Windows has none

    read_end, write_end = os.pipe()
    child = fork()
    if not child:
        # The copy: whatever happens here, it must never return into the parent's code.
        try:
            os.close(read_end)
            signal.signal(signal.SIGPROF, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_PROF, cpu_s)
            resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
            silence = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(silence, stream)
            try:
                answer = trial()
            except BaseException:
                answer = traceback.format_exc()
            signal.setitimer(signal.ITIMER_PROF, 0)
            with os.fdopen(write_end, "wb") as stream:
                stream.write(pickle.dumps(answer))
        finally:
            os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as stream:
        data = stream.read()
    os.waitpid(child, 0)
    if not data:
        return Verdict(KILLED, "timeout")
    answer = pickle.loads(data)
    if isinstance(answer, str):
        raise RuntimeError("a mutant could not be tried:\n%s" % answer)
    return answer


def _quiet_hypothesis() -> None:
    """The same examples in every run, and none made smaller."""
    import hypothesis

    hypothesis.settings.register_profile(
        "mutate",
        derandomize=True,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    hypothesis.settings.load_profile("mutate")


class _Changed(SourceFileLoader):
    """Imports one firmware file with the mutant in it."""

    def __init__(self, name: str, path: str, mutant: Mutant):
        super().__init__(name, path)
        self._mutant = mutant

    def get_code(self, fullname: str) -> types.CodeType:
        return _compiled(Path(self.path), self._mutant)


class _Finder:
    def __init__(self, mutant: Mutant):
        self._name = module_of(mutant.file)
        self._path = str(FIRMWARE / mutant.file)
        self._mutant = mutant

    def find_spec(self, name: str, _path: Any, _target: Any = None) -> ModuleSpec | None:
        if name != self._name:
            return None
        return importlib.util.spec_from_file_location(
            name, self._path, loader=_Changed(name, self._path, self._mutant)
        )


def _compiled(path: Path, mutant: Mutant | None) -> types.CodeType:
    text = path.read_text(encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return compile(mutant.apply(text) if mutant else text, str(path), "exec")


# --------------------------------------------------------------------- mutants that work on import


def _values(code: types.CodeType, name: str) -> Any:
    module = types.ModuleType(name)
    exec(code, module.__dict__)
    return {key: _shape(value) for key, value in module.__dict__.items() if key != "__builtins__"}


def _shape(value: Any) -> Any:
    """Return what can be compared of a value of a module."""
    if isinstance(value, types.FunctionType):
        return (value.__code__, value.__defaults__, value.__kwdefaults__)
    if isinstance(value, type) and value.__module__ != "builtins":
        return {key: _shape(part) for key, part in vars(value).items() if key != "__dict__"}
    if isinstance(value, property):
        return (_shape(value.fget), _shape(value.fset))
    if isinstance(value, int | str | bytes | tuple | list | dict | set | type(None)):
        return (type(value), value)
    return type(value)


def _changes_nothing(mutant: Mutant) -> bool:
    path = FIRMWARE / mutant.file
    before, after = _compiled(path, None), _compiled(path, mutant)
    if _bare(before) == _bare(after):
        return True
    name = module_of(mutant.file)
    return bool(_values(before, name) == _values(after, name))


def _bare(code: types.CodeType) -> Any:
    """Return a code object as values that are alike where the code is: places in the file left out."""
    consts = [
        _bare(const) if isinstance(const, types.CodeType) else (type(const), const)
        for const in code.co_consts
    ]
    return (code.co_code, code.co_names, code.co_varnames, consts)


class _Ending:
    """A pytest plugin: notes the first test that failed."""

    def __init__(self) -> None:
        self.failed = ""

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed and not self.failed:
            self.failed = report.nodeid

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed and not self.failed:
            self.failed = "import"


def _pytest(files: list[Path], *plugins: Any) -> int:
    import pytest

    return int(
        pytest.main(
            ["-x", "-q", "-m", _LEFT_OUT, "--rootdir", str(ROOT), "-c", str(ROOT / "pyproject.toml"),
             "-p", "no:warnings", "-o", "addopts=", *map(str, files)],
            plugins=list(plugins),
        )
    )  # fmt: skip


def _try_on_import(mutant: Mutant, files: list[Path]) -> Verdict:
    try:
        if _changes_nothing(mutant):
            return Verdict(NO_CHANGE)
    except Exception:
        return Verdict(KILLED, "import")
    for name in [name for name, module in sys.modules.items() if _holds_firmware(name, module)]:
        del sys.modules[name]
    sys.meta_path.insert(0, _Finder(mutant))  # type: ignore[arg-type]
    for path in files:
        ending = _Ending()
        status = _pytest([path], ending)
        if ending.failed:
            return Verdict(KILLED, ending.failed)
        if status not in (0, 5):
            return Verdict(KILLED, "import")
    return Verdict(SURVIVED)


def _is_firmware(module: Any) -> bool:
    return str(getattr(module, "__file__", "") or "").startswith(str(FIRMWARE))


def _holds_firmware(name: str, module: Any) -> bool:
    """Tell whether a module is the firmware's, or may have taken something from it: where tests run in one process with this, those too."""
    if name in _KEPT or name.startswith("inletctl.mutate"):
        return False
    path = str(getattr(module, "__file__", "") or "")
    return path.startswith((str(FIRMWARE), str(TESTS), str(ROOT / "inletctl")))


# --------------------------------------------------------------------- mutants within functions


class _Reach:
    """A pytest plugin that runs every test, notes its time and the lines it reaches, then tries the mutants."""

    def __init__(self, sources: list[Path], then: "Callable[[_Reach], None]"):
        self._sources = [str(path) for path in sources]
        self._then = then
        self.items: list[Any] = []
        self.took_s: dict[int, float] = {}
        self.lines: dict[str, dict[int, set[int]]] = {path: {} for path in self._sources}
        self.kills: Counter[tuple[str, int]] = Counter()
        self.failed: list[str] = []
        self.error: BaseException | None = None

    def pytest_runtestloop(self, session: Any) -> bool:
        try:
            self._loop(session)
        except BaseException as error:
            # pytest would only tell a person of it.
            self.error = error
        return True

    def _loop(self, session: Any) -> None:
        import coverage

        self.items = session.items
        cov = coverage.Coverage(data_file=None, include=self._sources, config_file=False)
        cov.set_option(
            "run:disable_warnings", ["no-data-collected"]
        )  # no test may reach any of it
        for n, item in enumerate(self.items):
            cov.start()
            cov.switch_context(str(n))
            began = time.process_time()
            ok = runs(item)
            self.took_s[n] = time.process_time() - began
            cov.stop()
            if not ok:
                self.failed.append(item.nodeid)
        data = cov.get_data()
        for path in self._sources:
            for line, contexts in data.contexts_by_lineno(path).items():
                self.lines[path][line] = {int(context) for context in contexts if context}
        gc.collect()
        gc.freeze()
        self._then(self)

    def tests_of(self, mutant: Mutant) -> list[int]:
        """Return the tests that reach the mutant's statement, the best killers of its function first, then the quickest."""
        reached: set[int] = set()
        lines = self.lines[str(FIRMWARE / mutant.file)]
        for line in range(mutant.first, mutant.last + 1):
            reached |= lines.get(line, set())
        return sorted(reached, key=lambda n: (-self.kills[mutant.function, n], self.took_s[n], n))


def runs(item: Any) -> bool:
    """Run one collected test; tell whether it passed."""
    from _pytest.runner import runtestprotocol

    return not any(report.failed for report in runtestprotocol(item, log=False, nextitem=None))


def _live_function(mutant: Mutant) -> types.FunctionType:
    found: Any = sys.modules[module_of(mutant.file)]
    for name in mutant.function.split("."):
        found = found.__dict__[name]
    if isinstance(found, property):
        found = found.fget
    found = getattr(found, "__func__", found)
    # What wraps a function is not what the mutant is in.
    return getattr(found, "__wrapped__", found)


def _code_of(code: types.CodeType, names: list[str]) -> types.CodeType:
    for const in code.co_consts:
        if isinstance(const, types.CodeType) and const.co_name == names[0]:
            return const if len(names) == 1 else _code_of(const, names[1:])
    raise LookupError(names[0])


def _try_in_function(mutant: Mutant, items: list[Any]) -> Verdict:
    path = FIRMWARE / mutant.file
    names = mutant.function.split(".")
    new = _code_of(_compiled(path, mutant), names)
    if _bare(new) == _bare(_code_of(_compiled(path, None), names)):
        return Verdict(NO_CHANGE)
    if not items:
        return Verdict(SURVIVED)  # nothing reaches it; it may not even be loaded
    _live_function(mutant).__code__ = new
    for item in items:
        if not runs(item):
            return Verdict(KILLED, item.nodeid)
    return Verdict(SURVIVED)


# ------------------------------------------------------------------------------------- a room


def try_all(
    sources: list[Path],
    tests: list[Path],
    mutants: list[Mutant],
    tell: Callable[[Mutant, Verdict], None],
) -> None:
    """Try every mutant of a room, and `tell` of each. Works in this process: call it in a forked one.

    Raises RuntimeError with a sentence where a test fails on the healthy firmware.
    """
    import hypothesis  # noqa: F401 - loaded once, for every copy
    import pytest  # noqa: F401

    os.chdir(ROOT)
    # What else is installed (coverage, several processes) has no part in it.
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    sys.dont_write_bytecode = False
    use_firmware()
    sys.path.insert(0, str(tests[0].parent))
    _quiet_hypothesis()
    on_import = [mutant for mutant in mutants if not mutant.function]
    inside = [mutant for mutant in mutants if mutant.function]

    def go_on(reach: _Reach) -> None:
        if reach.failed:
            raise RuntimeError("fails on the healthy firmware: %s" % ", ".join(reach.failed[:3]))
        for mutant in inside:
            chosen = reach.tests_of(mutant)
            cpu_s = _START_S + _TIMES * sum(reach.took_s[n] for n in chosen)
            items = [reach.items[n] for n in chosen]
            verdict = _fork(lambda m=mutant, i=items: _try_in_function(m, i), cpu_s)
            for n in chosen:
                if reach.items[n].nodeid == verdict.by:
                    reach.kills[mutant.function, n] += 1
            tell(mutant, verdict)

    if on_import:
        _try_imports(on_import, tests, tell)
    if inside:
        reach = _Reach(sources, go_on)
        with _out_of_the_way():
            status = _pytest(tests, reach)
        if reach.error is not None:
            raise reach.error
        if status not in (0, 5):
            raise RuntimeError("pytest broke off with status %d" % status)


def _try_imports(
    mutants: list[Mutant], tests: list[Path], tell: Callable[[Mutant, Verdict], None]
) -> None:
    kills: Counter[tuple[str, Path]] = Counter()
    took_s: dict[Path, float] = {}
    loaded: dict[Path, set[str]] = {}
    for path in tests:
        began = _children_s()
        status, loaded[path] = _fork(lambda p=path: _load(p), 600)
        if status not in (0, 5):
            raise RuntimeError("fails on the healthy firmware: %s" % path.name)
        took_s[path] = _children_s() - began
    everything_s = sum(took_s.values())
    for mutant in mutants:
        # A file that never loads what is changed cannot notice.
        order = sorted(
            (path for path in tests if mutant.file in loaded[path]),
            key=lambda path: (-kills[mutant.file, path], took_s[path], path.name),
        )
        verdict = _fork(
            lambda m=mutant, o=order: _try_on_import(m, o), _START_S + _TIMES * everything_s
        )
        for path in tests:
            if verdict.by.partition("::")[0].endswith(path.name):
                kills[mutant.file, path] += 1
        tell(mutant, verdict)


def _load(path: Path) -> tuple[int, set[str]]:
    """Run one test file on the healthy firmware; return pytest's status and the firmware files that it has loaded."""
    status = _pytest([path])
    return status, {
        Path(module.__file__).relative_to(FIRMWARE).as_posix()
        for module in sys.modules.values()
        if _is_firmware(module) and module.__file__
    }


def _children_s() -> float:
    import resource

    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


@contextlib.contextmanager
def _out_of_the_way() -> Iterator[None]:
    """Keep what the tests print to themselves."""
    with open(os.devnull, "w", encoding="utf-8") as silence, contextlib.redirect_stdout(silence):
        yield
