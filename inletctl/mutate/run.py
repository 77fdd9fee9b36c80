"""Runs the mutants of rooms, keeps what is known, and says what falls short."""

import ast
import hashlib
import json
import os
import pickle
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inletctl.errors import UserError
from inletctl.house import FIRMWARE
from inletctl.mutate import warm
from inletctl.mutate.make import Mutant, module_of, mutants_of
from inletctl.mutate.reasons import Key
from inletctl.mutate.rooms import KILLED_PCT_MIN, TESTS, Room
from inletctl.mutate.warm import KILLED, NO_CHANGE, Verdict, fork

Tell = Callable[[int, int, int], None]  # (mutants done, of, survivors so far)


@dataclass
class RoomResult:
    """What came of one room. `of`: mutants there are; `tried`: those of the sample; `seed`: of the sample, None where it is whole."""

    room: str
    of: int
    seed: int | None
    tried: int = 0
    killed: int = 0
    no_change: int = 0
    survivors: list[Mutant] = field(default_factory=list)

    @property
    def counted(self) -> int:
        """Return how many mutants count: those that change something."""
        return self.killed + len(self.survivors)

    @property
    def killed_pct(self) -> float:
        """Return the killed of a hundred, rounded down to a tenth."""
        return 1000 * self.killed // max(self.counted, 1) / 10


def mutants_of_room(room: Room) -> list[Mutant]:
    """Return every mutant of a room."""
    return [mutant for path in room.source_files() for mutant in mutants_of(path)]


def run_room(
    room: Room, sample: int | None, seed: int, keep: "Path | None", tell: Tell, only: "set[Key] | None" = None
) -> RoomResult:  # fmt: skip
    """Try a room's mutants, or `sample` of them drawn with `seed`; those of `only` if given.

    What `keep`, a folder, still knows of these very files is not tried again. Raises UserError where the tests fail as they are.
    """
    if not hasattr(os, "fork"):
        raise UserError("mutants need Linux or macOS: Windows cannot fork a process.", 3)
    mutants = mutants_of_room(room)
    result = RoomResult(room.name, len(mutants), None)
    if only is not None:
        mutants = [mutant for mutant in mutants if mutant.key in only]
    if sample is not None and sample < len(mutants):
        result.seed = seed
        chosen = set(random.Random(seed).sample(range(len(mutants)), sample))
        mutants = [mutant for n, mutant in enumerate(mutants) if n in chosen]
    result.tried = len(mutants)
    kept = _Keep(room, keep)
    left = []
    done = 0

    def count(mutant: Mutant, verdict: Verdict) -> None:
        nonlocal done
        done += 1
        if verdict.outcome == KILLED:
            result.killed += 1
        elif verdict.outcome == NO_CHANGE:
            result.no_change += 1
        else:
            result.survivors.append(mutant)
        tell(done, len(mutants), len(result.survivors))

    for mutant in mutants:
        verdict = kept.known.get(mutant.key)
        if verdict is None:
            left.append(mutant)
        else:
            count(mutant, verdict)
    for n, verdict in _apart(room, left):
        kept.add(left[n], verdict)
        count(left[n], verdict)
    result.survivors.sort(key=lambda mutant: (mutant.file, mutant.start, mutant.put))
    return result


def _apart(room: Room, mutants: list[Mutant]) -> Iterator[tuple[int, Verdict]]:
    """Yield (number, verdict) from a process of its own: neither the firmware nor the tests are loaded here."""
    if not mutants:
        return
    number = {id(mutant): n for n, mutant in enumerate(mutants)}
    read_end, write_end = os.pipe()
    child = fork()
    if not child:
        os.close(read_end)
        with os.fdopen(write_end, "wb") as stream:

            def tell(mutant: Mutant, verdict: Verdict) -> None:
                pickle.dump((number[id(mutant)], verdict), stream)
                stream.flush()

            try:
                warm.try_all(room.source_files(), room.test_files(), mutants, tell)
            except BaseException as error:
                pickle.dump((-1, "%s: %s" % (type(error).__name__, error)), stream)
                stream.flush()
            finally:
                os._exit(0)
    os.close(write_end)
    seen = 0
    try:
        with os.fdopen(read_end, "rb") as stream:
            while True:
                try:
                    n, verdict = pickle.load(stream)
                except EOFError:
                    break
                if n < 0:
                    raise UserError(
                        "%s: the mutants could not be tried: %s" % (room.name, verdict), 1
                    )
                seen += 1
                yield n, verdict
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
    if seen != len(mutants):
        raise UserError(
            "%s: only %d of %d mutants were tried" % (room.name, seen, len(mutants)), 1
        )


class _Keep:
    """What a run has found, a line each.

    A kill holds as long as the changed file, the killing test and what it stands on are what they were; a survivor as long as
    every test of the room is. What other files of the firmware have become since is not asked: delete the folder to ask all anew.
    """

    def __init__(self, room: Room, folder: "Path | None"):
        helpers = [
            path for path in sorted(TESTS.glob("*.py")) if not path.name.startswith("test_")
        ]
        self._base = _digest(*(path.read_bytes() for path in helpers))
        self._tests = {path.name: _digests(path) for path in room.test_files()}
        self._all = _digest(
            repr(
                sorted((name, sorted(tests.items())) for name, tests in self._tests.items())
            ).encode()
        )
        self._texts = {
            path.relative_to(FIRMWARE).as_posix(): _digest(path.read_bytes())
            for path in room.source_files()
        }
        self._path = folder / ("%s.jsonl" % room.name) if folder else None
        self.known: dict[Key, Verdict] = {}
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if self._path.exists():
            for line in self._path.read_text(encoding="utf-8").splitlines():
                self._read(line)

    def _mark(self, file: str, verdict: Verdict) -> str:
        path, _, test = verdict.by.partition("::")
        stands_on = self._tests.get(Path(path).name, {}).get(
            test.partition("[")[0].partition("::")[0], self._all
        )
        return _digest(self._base.encode(), self._texts.get(file, "").encode(), stands_on.encode())

    def _read(self, line: str) -> None:
        try:
            row = json.loads(line)
            file, scope, original, mutated, nth = row["key"]
            verdict = Verdict(row["outcome"], row["by"])
            fits = row["mark"] == self._mark(file, verdict)
        except (ValueError, KeyError, TypeError):
            return  # a line that broke off with the run that wrote it
        if fits:
            self.known[file, scope, original, mutated, nth] = verdict

    def add(self, mutant: Mutant, verdict: Verdict) -> None:
        if self._path is None:
            return
        mark = self._mark(mutant.file, verdict)
        row = {"key": mutant.key, "outcome": verdict.outcome, "by": verdict.by, "mark": mark}
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(row) + "\n")


def _digests(path: Path) -> dict[str, str]:
    """Return for each test of a file the digest of its own text and of all in the file that is no test."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    own = [node for node in body if not isinstance(node, ast.Import | ast.ImportFrom)]
    tests = [node for node in own if getattr(node, "name", "").lower().startswith("test")]
    common = "".join(ast.dump(node) for node in own if node not in tests)
    return {
        getattr(node, "name", ""): _digest(common.encode(), ast.dump(node).encode())
        for node in tests
    }


def _digest(*parts: bytes) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:12]


def faults_of(result: RoomResult, reasons: dict[Key, str], files: set[str]) -> list[str]:
    """Return a sentence for each thing that is not as it must be. `files`: the room's own; an empty list is in order."""
    said = []
    if result.killed_pct < KILLED_PCT_MIN:
        said.append(
            "%s: %.1f %% of %d mutants killed, less than %d %%" % (result.room, result.killed_pct, result.counted, KILLED_PCT_MIN)
        )  # fmt: skip
    survived = {mutant.key for mutant in result.survivors}
    said += [
        "%s:%d in %s: no test notices %r instead of %r; write one, or say in reasons.toml why none can"
        % (
            mutant.file,
            mutant.line,
            mutant.scope or module_of(mutant.file),
            mutant.mutated,
            mutant.original,
        )
        for mutant in result.survivors
        if mutant.key not in reasons
    ]
    if result.seed is None:
        said += [
            "%s in %s: reasons.toml says why %r survives, but it does not, or is no mutant any more; delete it there"
            % (key[0], key[1], key[3])
            for key in reasons
            if key[0] in files and key not in survived
        ]
    return said


def figures_of(result: RoomResult) -> dict[str, Any]:
    """Return a room's figures as JSON."""
    return {
        "of": result.of,
        "tried": result.tried,
        "seed": result.seed,
        "mutants": result.counted,
        "killed": result.killed,
        "no_change": result.no_change,
        "survivors": [
            {
                "file": mutant.file,
                "line": mutant.line,
                "scope": mutant.scope,
                "original": mutant.original,
                "mutated": mutant.mutated,
                "nth": mutant.nth,
            }
            for mutant in result.survivors
        ],
    }
