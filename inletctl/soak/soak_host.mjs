// Runs the firmware's loop on one 32-bit MicroPython, round after round of a tape: the readings of each pass come from it, and
// the commands are held against it. Arguments: the package's micropython.mjs, a JSON file {files, settings, script, readings,
// commands, passes, rxInts, txInts, heap, startMs, parkMs, rounds}; readings and commands are files of 32-bit ints. A line of
// JSON a round on stdout. This interpreter collects garbage only between two scripts: each round is one.
import fs from 'node:fs';
import { pathToFileURL } from 'node:url';
import '../targets/invoke.mjs';

const TICKS = 2 ** 30;
const [modulePath, planPath] = process.argv.slice(2);
const { loadMicroPython } = await import(pathToFileURL(modulePath).href);

const plan = JSON.parse(fs.readFileSync(planPath, 'utf8'));
const ints = (path) => {
  const data = fs.readFileSync(path);
  return new Int32Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.length));
};
const readings = ints(plan.readings);
const commands = ints(plan.commands);
const { rxInts, txInts, passes } = plan;

let said = [];
const mp = await loadMicroPython({
  heapsize: plan.heap,
  linebuffer: true,
  stdout: (line) => said.push(line),
});
const heap = () => mp._module.HEAPU8; // may move when memory grows, so asked for each time
let at = 0; // next pass of the tape
let tick = plan.startMs;
let differing = 0;
let firstDiffering = -1;
let told = {};

function compare(txAddress) {
  const made = new Int32Array(heap().buffer, txAddress, txInts);
  const from = (at - 1) * txInts;
  for (let n = 0; n < txInts; n++) {
    if (made[n] !== commands[from + n]) {
      differing++;
      if (firstDiffering < 0) firstDiffering = at - 1;
      return;
    }
  }
}

mp.registerJsModule('virtual_link', {
  settings: () => JSON.stringify(plan.settings),
  failed: (text) => said.push('firmware failed: ' + text),
  tell: (allocated, used, number, plugIns, failures) => (told = { allocated, used, number, plugIns, failures }),
  exchange: (txAddress, _txBytes, rxAddress, _rxBytes) => {
    if (at > 0) compare(txAddress);
    const into = new Int32Array(heap().buffer, rxAddress, rxInts);
    if (at === passes) {
      into[0] = 1; // the round is over
      at = 0;
      return;
    }
    into.set(readings.subarray(at * rxInts, (at + 1) * rxInts));
    into[0] = 0;
    into[1] = tick;
    tick = (tick + 10) % TICKS;
    at++;
  },
});
for (const [path, text] of Object.entries(plan.files)) {
  const folders = path.split('/').slice(1, -1);
  for (let n = 1; n <= folders.length; n++) {
    const folder = '/' + folders.slice(0, n).join('/');
    if (!mp.FS.analyzePath(folder).exists) mp.FS.mkdir(folder);
  }
  mp.FS.writeFile(path, text);
}
mp.runPython("import sys\nsys.path.insert(0, '/')\n" + plan.script);

let wraps = 0;
for (let round = 0; round < plan.rounds; round++) {
  const began = tick;
  const beganAt = performance.now();
  said = [];
  differing = 0;
  firstDiffering = -1;
  mp.runPython('soak_round()');
  const wallMs = performance.now() - beganAt;
  mp.runPython('gc.collect()');
  // The round's garbage is gone now.
  mp.runPython('soak_tell()');
  // The car is parked for a while: a whole number of its cycles, another one each time, and never none: a round that followed
  // the one before at once would not begin with the line that is due after a second of silence.
  const parked = 1000 * (1 + Math.floor((((round * 7919) % 997) / 997) * plan.parkMs / 1000));
  tick = (tick + parked) % TICKS;
  if (tick < began) wraps++;
  const info = said.join(' ');
  const largest = /max free sz: (\d+)/.exec(info);
  const line = { round, ...told, differing, firstDiffering, wallMs: Math.round(wallMs), tick, wraps,
    largest: largest ? Number(largest[1]) : -1, failed: info.includes('firmware failed') ? info : '' };
  fs.writeSync(1, JSON.stringify(line) + '\n');
  if (line.failed) break;
}
process.exit(0);
