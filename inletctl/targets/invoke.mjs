// Makes the package's 32-bit MicroPython faster, and nothing else: imported before its interpreter is loaded.
//
// The interpreter's virtual machine calls nearly everything through `invoke_...`, which catch a longjmp: functions of JavaScript,
// in and out of WebAssembly, and that twice for each of them. Here they are a small WebAssembly module of the same functions,
// made by hand: call what is at the index; if a longjmp comes, restore the stack, tell setThrew(1, 0), return 0. What is
// compiled once is kept for the next interpreter of this process.

const I32 = 0x7f;
const EXTERN = 0x6f;
const FUNCREF = 0x70;
const [FUNC, TABLE, TAG] = [0, 1, 4];

const uleb = (n) => (n < 0x80 ? [n] : [(n & 0x7f) | 0x80, ...uleb(n >>> 7)]);
const list = (items) => [...uleb(items.length), ...items.flat()];
const text = (word) => list([...word].map((letter) => letter.charCodeAt(0)));
const section = (id, content) => [id, ...uleb(content.length), ...content];

// `names`: invoke_ and the signature, its first letter the result (v: none), i for each int. Return the module's bytes; its
// table's first three places are for the stack's get and restore, and for setThrew, then comes the interpreter's own table.
const OWN = 3;
function compiled(names) {
  const types = [
    [0x60, ...list([]), ...list([I32])], // 0: the stack's get
    [0x60, ...list([I32]), ...list([])], // 1: its restore
    [0x60, ...list([I32, I32]), ...list([])], // 2: setThrew
    [0x60, ...list([EXTERN]), ...list([])], // 3: the tag, and judge
  ];
  const codes = names.map((name) => {
    const [result, ...args] = name.slice('invoke_'.length);
    const results = result === 'v' ? [] : [I32];
    const ints = args.map(() => I32);
    const inner = types.push([0x60, ...list(ints), ...list(results)]) - 1;
    types.push([0x60, ...list([I32, ...ints]), ...list(results)]);
    const sp = ints.length + 1; // the local after the parameters
    const blank = results.length ? [0x41, 0] : [];
    const body = [
      ...[0x41, 0, 0x11, 0, 0, 0x21, sp], // sp = get()
      ...[0x06, results.length ? I32 : 0x40], // try
      ...ints.flatMap((_, n) => [0x20, n + 1]),
      ...[0x20, 0, 0x41, OWN, 0x6a, 0x11, ...uleb(inner), 0], // table[index + OWN](...)
      ...[0x07, 0], // catch of JavaScript's tag: what was thrown is on the stack
      ...[0x20, sp, 0x41, 1, 0x11, 1, 0], // restore(sp)
      ...[0x10, 0], // judge: throws again what is no longjmp
      ...[0x41, 1, 0x41, 0, 0x41, 2, 0x11, 2, 0], // setThrew(1, 0)
      ...blank,
      ...[0x0b, 0x0b],
    ];
    const code = [...list([[1, I32]]), ...body];
    return [...uleb(code.length), ...code];
  });
  const from = (name, kind) => [...text('js'), ...text(name), ...kind];
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, list(types)),
    ...section(
      2,
      list([from('judge', [FUNC, 3]), from('table', [TABLE, FUNCREF, 0, 0]), from('tag', [TAG, 0, 3])]),
    ),
    ...section(3, list(names.map((_, n) => uleb(5 + 2 * n)))),
    ...section(7, list(names.map((name, n) => [...text(name), FUNC, ...uleb(n + 1)]))),
    ...section(10, list(codes)),
  ]);
}

const instantiate = WebAssembly.instantiate;
let interpreter = null; // compiled
let invokes = null;

// What the package throws as a longjmp is of a class that it keeps to itself.
function longjmpOf(env) {
  try {
    env._emscripten_throw_longjmp();
  } catch (thrown) {
    return Object.getPrototypeOf(thrown.constructor);
  }
  throw new Error('this MicroPython package has no longjmp');
}

WebAssembly.instantiate = async function (source, imports) {
  const names = Object.keys(imports.env).filter((name) => name.startsWith('invoke_'));
  const { env } = imports;
  const Longjmp = longjmpOf(env);
  invokes ??= await WebAssembly.compile(compiled(names));
  interpreter ??= await WebAssembly.compile(source);
  const table = new WebAssembly.Table({ element: 'anyfunc', initial: OWN });
  const judge = (thrown) => {
    if (!(thrown instanceof Longjmp)) throw thrown;
  };
  const own = await instantiate(invokes, { js: { judge, table, tag: WebAssembly.JSTag } });
  const instance = await instantiate(interpreter, { ...imports, env: { ...env, ...own.exports } });
  const { exports } = instance;
  const whole = exports.__indirect_function_table;
  table.grow(whole.length);
  table.set(0, exports.emscripten_stack_get_current);
  table.set(1, exports._emscripten_stack_restore);
  table.set(2, exports.setThrew);
  for (let n = 0; n < whole.length; n++) table.set(OWN + n, whole.get(n));
  return { module: interpreter, instance };
};
