"""Many short runs from one moment: each in a forked copy of this process, so that nobody boots the chip twice."""

import os
import pickle
import select
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from inletctl.errors import UserError


def fork_map(
    run: Callable[[Any], Any],
    tasks: Iterable[Any],
    jobs: int,
    hear: "int | None" = None,
    tell: Callable[[str], None] = lambda sentence: None,
) -> Iterator[tuple[Any, Any]]:
    """Yield (task, run(task)) as they end, at most `jobs` at once; `run` works on a copy of all there is.

    Lines that the runs write into the pipe whose read end is `hear` are given to `tell`.
    Raises UserError where the system cannot fork, RuntimeError with the copy's own words where a run failed.
    """
    if not hasattr(os, "fork"):
        raise UserError("this measurement needs Linux or macOS: Windows cannot fork a process.", 3)
    waiting = list(tasks)[::-1]
    running: dict[
        int, tuple[int, Any, bytearray]
    ] = {}  # read end -> child, task, what came so far
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                task = waiting.pop()
                end, child = _start(run, task)
                running[end] = (child, task, bytearray())
            ends = [*running] if hear is None else [*running, hear]
            for end in select.select(ends, [], [])[0]:
                if end == hear:
                    for line in os.read(end, 65536).decode("utf-8", "replace").splitlines():
                        tell(line)
                    continue
                child, task, data = running[end]
                more = os.read(end, 65536)
                if more:
                    data += more
                    continue
                del running[end]
                os.close(end)
                os.waitpid(child, 0)
                yield task, _unpack(bytes(data), task)
    finally:
        for end, (child, _task, _data) in running.items():
            os.close(end)
            os.kill(child, 9)
            os.waitpid(child, 0)


def _unpack(data: bytes, task: Any) -> Any:
    if not data:
        raise RuntimeError("the run of %r ended without a word" % (task,))
    result, words = pickle.loads(data)
    if words:
        raise RuntimeError("the run of %r failed:\n%s" % (task, words))
    return result


def _start(run: Callable[[Any], Any], task: Any) -> tuple[int, int]:
    read_end, write_end = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        os.close(write_end)
        return read_end, child
    # The copy: whatever happens here, it must never return into the parent's code.
    status = 1
    try:
        os.close(read_end)
        try:
            answer = (run(task), "")
        except BaseException:
            answer = (None, traceback.format_exc())
        with os.fdopen(write_end, "wb") as stream:
            stream.write(pickle.dumps(answer))
        status = 0
    finally:
        os._exit(status)
