// Runs the firmware under the 32-bit MicroPython WebAssembly build and carries frames between its virtual board and
// the host: commands to stdout, readings from stdin, both as little-endian 32-bit ints. What the firmware prints goes
// to stderr. Arguments: the package's micropython.mjs, then a JSON file {files: {path: text}, settings, run}. A run that
// the host ended is answered with one int, 1 (END); one int from the host then asks for the next: the file is read anew,
// and a new interpreter takes it. Anything else ends this process.
// A plan with a `tape` {readings, commands, laterMs}, paths of two files of such frames (see tape.py), asks the host for nothing:
// readings come from it, laterMs later, and the first frame of commands that differs is told on stderr and ends the run.
import fs from 'node:fs';
import { pathToFileURL } from 'node:url';
import './invoke.mjs';

const STATUS_NONE = -1; // not told yet
const STATUS_END = 1;
const STATUS_RESET = 2;
const TICKS = 2 ** 30;
const [modulePath, planPath] = process.argv.slice(2);
const { loadMicroPython } = await import(pathToFileURL(modulePath).href);

function readExactly(view) {
  let got = 0;
  while (got < view.length) {
    try {
      const n = fs.readSync(0, view, got, view.length - got, null);
      if (n === 0) process.exit(0); // the host is gone
      got += n;
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
    }
  }
}

function writeExactly(view) {
  let put = 0;
  while (put < view.length) {
    try {
      put += fs.writeSync(1, view, put, view.length - put);
    } catch (error) {
      if (error.code === 'EPIPE') process.exit(0);
      if (error.code !== 'EAGAIN') throw error;
    }
  }
}

const intsOf = (path) => {
  const data = fs.readFileSync(path);
  return new Int32Array(data.buffer, data.byteOffset, data.length / 4);
};

// Return exchange(tx, rx, isFresh) of a plan's tape; false where the tape has it otherwise.
function player(tape) {
  const readings = intsOf(tape.readings);
  const commands = intsOf(tape.commands);
  let at = 0; // next frame
  return (tx, rx, isFresh) => {
    const from = at * tx.length;
    for (let n = 0; n < tx.length; n++) {
      if (tx[n] !== commands[from + n] && !isFresh) {
        fs.writeSync(2, 'differs ' + JSON.stringify({ at, made: [...tx] }) + '\n');
        rx[0] = STATUS_END;
        return false;
      }
    }
    rx.set(readings.subarray(at * rx.length, (at + 1) * rx.length));
    rx[1] = (rx[1] + tape.laterMs) % TICKS;
    at++;
    return true;
  };
}

// Returns whether the host ended it, and the firmware had nothing to say against that.
async function runPlan(plan) {
  let hasFailed = false;
  let status = STATUS_RESET;
  const play = plan.tape ? player(plan.tape) : null;
  while (status === STATUS_RESET) {
    const mp = await loadMicroPython({
      heapsize: 192 * 1024, // what a Pico has left
      linebuffer: true,
      stdout: (line) => fs.writeSync(2, line + '\n'),
    });
    const heap = () => mp._module.HEAPU8; // may move when memory grows, so asked for each time
    mp.registerJsModule('virtual_link', {
      settings: () => JSON.stringify(plan.settings),
      failed: (text) => {
        hasFailed = true;
        fs.writeSync(2, 'firmware failed: ' + text + '\n');
      },
      exchange: (txAddress, txBytes, rxAddress, rxBytes) => {
        if (play) {
          const { buffer } = heap();
          const rx = new Int32Array(buffer, rxAddress, rxBytes / 4);
          if (!play(new Int32Array(buffer, txAddress, txBytes / 4), rx, status === STATUS_NONE)) hasFailed = true;
          status = rx[0];
          return;
        }
        writeExactly(heap().subarray(txAddress, txAddress + txBytes));
        readExactly(heap().subarray(rxAddress, rxAddress + rxBytes));
        status = new DataView(heap().buffer, rxAddress, 4).getInt32(0, true);
      },
    });
    for (const [path, text] of Object.entries(plan.files)) {
      const folders = path.split('/').slice(1, -1);
      for (let n = 1; n <= folders.length; n++) {
        const folder = '/' + folders.slice(0, n).join('/');
        if (!mp.FS.analyzePath(folder).exists) mp.FS.mkdir(folder);
      }
      mp.FS.writeFile(path, Buffer.from(text), { canOwn: true });
    }
    status = STATUS_NONE;
    mp.runPython("import sys\nsys.path.insert(0, '/')\n");
    for (const path of plan.run) mp.runPython(plan.files[path]);
  }
  return status === STATUS_END && !hasFailed;
}

while (await runPlan(JSON.parse(fs.readFileSync(planPath, 'utf8')))) {
  writeExactly(Uint8Array.of(STATUS_END, 0, 0, 0));
  readExactly(new Uint8Array(4));
}
