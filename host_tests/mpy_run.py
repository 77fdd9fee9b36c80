"""Runs a script on the official 32-bit MicroPython under Node, with files of the firmware beside it."""

import json
import os
import subprocess

import pytest

from inletctl.errors import UserError
from inletctl.house import FIRMWARE
from inletctl.targets.micropython import MODULE, check_installed, node_path

_HOST = """
import { pathToFileURL } from 'node:url';
import fs from 'node:fs';
// As inletctl/targets/node_host.mjs does, and for the same reason.
const tableGet = WebAssembly.Table.prototype.get;
WebAssembly.Table.prototype.get = function (at) {
  const known = (this.known ??= []);
  return (known[at] ??= tableGet.call(this, at));
};
const [modulePath, planPath] = process.argv.slice(1);
const plan = JSON.parse(fs.readFileSync(planPath, 'utf8'));
const { loadMicroPython } = await import(pathToFileURL(modulePath).href);
const options = { heapsize: plan.heap, linebuffer: true, stdout: (s) => console.log(s) };
const mp = await loadMicroPython(options);
for (const folder of plan.folders) mp.FS.mkdir('/' + folder);
for (const [path, text] of Object.entries(plan.files)) mp.FS.writeFile('/' + path, text);
mp.runPython("import sys\\nsys.path.insert(0, '/')\\n" + plan.script);
"""
# What the first line of a script's output is: a build of small ints of 31 bits.
BUILD = f"BUILD micropython {2**31 - 1}"
TELL_BUILD = "import sys\nprint('BUILD', sys.implementation[0], sys.maxsize)\n"


def run_script(folder, script, firmware=(), files=None, heap_kb=192):
    """Return what `script` printed, by lines. `firmware`: paths in firmware/; `files`: others by path.

    Skips where Node or MicroPython is missing, but in CI, where that is a failure.
    """
    try:
        check_installed()
    except UserError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    held = {path: (FIRMWARE / path).read_text(encoding="utf-8") for path in firmware}
    held.update(files or {})
    plan = folder / "plan.json"
    folders = sorted({path.rpartition("/")[0] for path in held} - {""})
    plan.write_text(
        json.dumps(
            {
                "files": held,
                "folders": folders,
                "script": TELL_BUILD + script,
                "heap": heap_kb * 1024,
            }
        ),
        encoding="utf-8",
    )
    command = [node_path(), "--input-type=module", "--eval", _HOST, str(MODULE), str(plan)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    lines = done.stdout.splitlines()
    assert lines[0] == BUILD
    return lines[1:]
