/** Workstream files of every kind of wrong: bytes, text, values, and files that were right before something happened. */
import * as fc from 'fast-check';

/** Names that mean something to JavaScript, and those that definitions use. */
const NAMES = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  '__defineGetter__',
  'id',
  'steps',
  'run',
  'module',
  'tool',
  'tasks',
  'matrix',
  'include',
  'exclude',
  'depends_on',
  'env',
  'input',
  'title',
  'files_scope',
  'acceptance_tests',
  'circuit_breaker',
  'gate',
  'priority',
  'metadata',
];

/** Ids and other texts that something could trip over. */
const TEXTS = [
  'ws-a',
  'ws-b',
  'ws-a-1',
  '',
  ' ',
  '-rf',
  '--help',
  '../../etc/passwd',
  '/',
  'constructor',
  '__proto__',
  'tostring',
  'a'.repeat(300),
  'ws-\n\r\u2028',
  'WS-A',
  'e\u0301',
  '\u00e9',
  '\0',
  '\ud800',
  '\ufeff',
  '\u202egnp',
  '\u001b]0;x\u0007',
  '${{ matrix.a }}',
  '${{ matrix.__proto__ }}',
  '${{ matrix.constructor }}',
  '!(',
  '**/*',
  '{a,b',
  '[',
  '\\',
  'high',
  '1e999',
];

const NUMBERS = [0, -0, -1, 1.5, 1e308, 5e-324, 2 ** 31, 2 ** 53, -(2 ** 63), 1e21];

const text = fc.oneof(fc.constantFrom(...TEXTS), fc.string({ unit: 'binary', maxLength: 20 }));
const name = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...NAMES) }, { weight: 1, arbitrary: text });

/** Objects are made by their text, so that `__proto__` is a name like any other. */
const object = (entries: [string, string][]): string =>
  `{${entries.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')}}`;

/** A value that looks like a part of a definition, and is wrong in every way; as JSON. */
const { value } = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    text.map((any) => JSON.stringify(any)),
    fc.constantFrom(
      ...NUMBERS.map(String),
      'null',
      'true',
      '1e999',
      '-1e999',
      '0'.repeat(3),
      '1'.repeat(400),
    ),
    fc.array(tie('value'), { maxLength: 4 }).map((all) => `[${all.join(',')}]`),
    fc.array(fc.tuple(name, tie('value')), { maxLength: 6 }).map(object),
  ),
}));

/** A list or an object so deep that code which calls itself for each level would use up the stack. */
const deep = fc
  .tuple(
    fc.constantFrom(501, 10_000),
    fc.constantFrom('[', '{"a":', '{"__proto__":', '[{"steps":'),
    fc.boolean(),
  )
  .map(([depth, open, closed]) => {
    const close = Array.from(open.replaceAll(/[^[{]/g, ''), (bracket) => (bracket === '[' ? ']' : '}'));
    return `${open.repeat(depth)}1${closed ? close.toReversed().join('').repeat(depth) : ''}`;
  });

const definition = fc
  .tuple(
    fc.constantFrom('"ws-a"', '"ws-b"', '"ws-a-1"', '"constructor"', '"-rf"', '"x"'),
    fc.array(fc.tuple(name, fc.oneof({ weight: 30, arbitrary: value }, { weight: 1, arbitrary: deep })), {
      maxLength: 5,
    }),
  )
  .map(([id, fields]) => object([['id', id], ['steps', '[{"run":"true"}]'], ...fields]));

/** Nothing is wrong with it, and every field is in it. */
const RIGHT = JSON.stringify(
  [
    {
      $schema: '../workstream.schema.json',
      id: 'ws-first',
      title: 'The first of ${{ matrix.seed }} – é 🌊',
      priority: 'high',
      matrix: { seed: [1, 2], name: ['a', { b: [null] }] },
      depends_on: ['ws-second', { id: 'ws-third', when: 'finished' }],
      steps: [
        {
          run: 'echo $MATRIX_SEED',
          env: { A: 1, B: 'b', C: true },
          timeout_seconds: 5,
          continue_on_error: true,
        },
        { command: ['node', '-e', '1'], cwd: 'src', id: 'second' },
        { module: './none.mjs', export: 'work', input: { seed: '${{ matrix.seed }}', deep: [[{}]] } },
      ],
      files_scope: ['src/**', '!src/x'],
      conflict_group: 'g',
      metadata: { anything: [1.5e3] },
    },
    {
      id: 'ws-second',
      tool: 'claude',
      tasks: ['Do it'],
      acceptance_tests: ['npm test', { run: 'true', name: 'n', report: 'r.xml' }, { manual: 'look' }],
      circuit_breaker: {
        max_attempts: 2,
        max_error_repeats: 2,
        oscillation_threshold: 1,
        cooldown_seconds: 1,
      },
      compensation_actions: ['true', { command: ['true'] }],
      test_gates: [{ type: 'GATE_UNIT', required: false }],
      gate: 2,
      max_cost_usd: 1.5,
    },
    {
      id: 'ws-third',
      capability: 'x',
      capability_payload: { prompt: 'p', files: ['a'] },
      parallel_ok: false,
    },
  ],
  null,
  2,
);

const right = Buffer.from(RIGHT);

/** What happens to the bytes of a file: where, how much, and what stands there then. */
const damage = fc.tuple(
  fc.nat({ max: right.length }),
  fc.constantFrom(0, 1, 1, 2, 10, 1000),
  fc.oneof(
    fc.uint8Array({ maxLength: 3 }),
    value.map((json) => Buffer.from(json)),
    fc
      .constantFrom(
        '\ufeff',
        '\ud800',
        '"',
        '\\',
        '{',
        '}',
        ',',
        '/*',
        '//',
        '\\ud800',
        '"__proto__":1,',
        '\0',
      )
      .map((piece) => Buffer.from(piece)),
  ),
);

const damaged = fc.array(damage, { minLength: 1, maxLength: 3 }).map((all) => {
  let bytes = right;
  for (const [at, length, piece] of all)
    bytes = Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at + length)]);
  return bytes;
});

/** A right file in an encoding that is not read, or that is with a mark. */
const encoded = fc
  .tuple(
    fc.constantFrom<BufferEncoding>('utf16le', 'latin1', 'utf8', 'ucs2'),
    fc.constantFrom('', '\ufeff', '\ufeff\ufeff'),
    fc.boolean(),
  )
  .map(([encoding, mark, swapped]) => {
    const bytes = Buffer.from(mark + RIGHT, encoding);
    return swapped && bytes.length % 2 === 0 ? bytes.swap16() : bytes;
  });

/** Where the value of a field begins and what it is, for all fields of the right file. */
const VALUES = [...RIGHT.matchAll(/": (".*?"|[\d.e]+|true|false)/g)].map(({ index, 1: found = '' }) => ({
  at: index + 3,
  length: found.length,
}));

/** The right file with the value of one field replaced, so that little else can hide what that does. */
const replaced = fc
  .tuple(fc.constantFrom(...VALUES), value)
  .map(([{ at, length }, json]) => RIGHT.slice(0, at) + json + RIGHT.slice(at + length));

/** What may be in a workstream file. */
export const anyFile: fc.Arbitrary<string | Uint8Array> = fc.oneof(
  fc.uint8Array({ maxLength: 400 }),
  fc.string({ unit: fc.constantFrom(...Array.from('[]{}",:\\/*\n 1eaé-')), maxLength: 200 }),
  fc.json(),
  value,
  fc.array(definition, { maxLength: 4 }).map((all) => `[${all.join(',')}]`),
  definition,
  damaged,
  encoded,
  replaced,
  replaced,
);
