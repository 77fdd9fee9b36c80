"""Runs a script on the official 32-bit MicroPython under Node, with files of the firmware beside it."""

import json
import os
import subprocess

import pytest

from inletctl.errors import UserError
from inletctl.house import FIRMWARE
from inletctl.targets.micropython import FASTER, MODULE, check_installed, node_path

_HOST = """
import { pathToFileURL } from 'node:url';
import fs from 'node:fs';
const [modulePath, planPath, fasterPath] = process.argv.slice(1);
await import(pathToFileURL(fasterPath).href);
const plan = JSON.parse(fs.readFileSync(planPath, 'utf8'));
const { loadMicroPython } = await import(pathToFileURL(modulePath).href);
const options = { heapsize: plan.heap, linebuffer: true, stdout: (s) => console.log(s) };
const mp = await loadMicroPython(options);
for (const folder of plan.folders) mp.FS.mkdir('/' + folder);
for (const [path, text] of Object.entries(plan.files)) mp.FS.writeFile('/' + path, text);
for (const [path, hex] of Object.entries(plan.bytes)) mp.FS.writeFile('/' + path, Buffer.from(hex, 'hex'));
mp.runPython("import sys\\nsys.path.insert(0, '/')\\n" + plan.script);
for (const script of plan.then) mp.runPython(script);
"""
# What the first line of a script's output is: a build of small ints of 31 bits.
BUILD = f"BUILD micropython {2**31 - 1}"
TELL_BUILD = "import sys\nprint('BUILD', sys.implementation[0], sys.maxsize)\n"


def run_script(folder, script, firmware=(), files=None, heap_kb=192, then=()):
    """Return what `script` printed, by lines. `firmware`: paths in firmware/; `files`: others by path, text or bytes.

    `then`: scripts that run after it, one by one. This build collects garbage only when a script has ended.

    Skips where Node or MicroPython is missing, but in CI, where that is a failure.
    """
    try:
        check_installed()
    except UserError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    held = {path: (FIRMWARE / path).read_text(encoding="utf-8") for path in firmware}
    made = {path: data for path, data in (files or {}).items() if isinstance(data, bytes)}
    held.update({path: text for path, text in (files or {}).items() if path not in made})
    plan = folder / "plan.json"
    folders = sorted({path.rpartition("/")[0] for path in [*held, *made]} - {""})
    plan.write_text(
        json.dumps(
            {
                "files": held,
                "bytes": {path: data.hex() for path, data in made.items()},
                "folders": folders,
                "script": TELL_BUILD + script,
                "heap": heap_kb * 1024,
                "then": list(then),
            }
        ),
        encoding="utf-8",
    )
    command = [
        node_path(),
        "--input-type=module",
        "--eval",
        _HOST,
        str(MODULE),
        str(plan),
        str(FASTER),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    lines = done.stdout.splitlines()
    assert lines[0] == BUILD
    return lines[1:]
