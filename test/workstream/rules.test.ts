import { describe, expect, test } from 'vitest';
import { loadFiles, problemsOf } from './load-files.ts';

/** A definition on one line. */
const definition = (fields: string, steps = '[{"run": "x"}]'): string =>
  `{"id": "ws-a", "steps": ${steps}, ${fields}}`;

/** The text without its mark `§`, and the place of the mark as problems show it. */
function marked(text: string): { text: string; place: string } {
  return { text: text.replace('§', ''), place: `1:${text.indexOf('§') + 1}` };
}

describe('errors say what was expected, what was found, and where', () => {
  test.each([
    ['"title": §5', 'title: expected a string, found 5'],
    ['"title": §null', 'title: expected a string, found null'],
    ['"priority": §true', 'priority: expected an integer or a word such as "high", found true'],
    ['"priority": §1.5', 'priority: expected an integer or a word such as "high", found 1.5'],
    ['"metadata": §[]', 'metadata: expected an object, found an empty array'],
    ['"timeout_seconds": §0', 'timeout_seconds: expected more than 0, found 0'],
    ['"timeout_seconds": §1e999', 'timeout_seconds: expected a number, found Infinity'],
    ['"timeout_seconds": §2147484', 'timeout_seconds: expected at most 2147483, found 2147484'],
    ['"memory_limit_mb": §"1G"', 'memory_limit_mb: expected a number, found "1G"'],
    ['"isolation": §"procces"', 'isolation: expected "thread" or "process", found "procces"'],
    ['"workspace": §"tree"', 'workspace: expected "shared" or "worktree", found "tree"'],
    ['"parallel_ok": §"no"', 'parallel_ok: expected true or false, found "no"'],
    ['"gate": §0', 'gate: expected at least 1, found 0'],
    ['"gate": §1.5', 'gate: expected an integer, found 1.5'],
    ['"ccpm_issue": §[]', 'ccpm_issue: expected a number or text, found an empty array'],
    ['"files_scope": §"src"', 'files_scope: expected an array, found "src"'],
    ['"files_scope": ["a", §" "]', 'files_scope[1]: expected text that is not empty, found " "'],
    ['"conflict_group": §""', 'conflict_group: expected text that is not empty, found ""'],
    ['"circuit_breaker": {"max_attempts": §0}', 'circuit_breaker.max_attempts: expected at least 1, found 0'],
    ['"capability_payload": {"files": §{}}', 'capability_payload.files: expected an array, found an object'],
    [
      '"test_gates": [{"type": §"GATE"}]',
      'test_gates[0].type: expected "GATE_LINT" or "GATE_UNIT" or "GATE_INTEGRATION" or "GATE_SECURITY", found "GATE"',
    ],
    ['"test_gates": [§"GATE_UNIT"]', 'test_gates[0]: expected an object, found "GATE_UNIT"'],
    ['"depends_on": [§5]', 'depends_on[0]: expected text or an object with id, found 5'],
    ['"depends_on": [§""]', 'depends_on[0]: expected text that is not empty, found ""'],
    ['"depends_on": [§{}]', 'depends_on[0]: id is missing'],
    ['"depends_on": [{"id": §5}]', 'depends_on[0].id: expected a string, found 5'],
    [
      '"depends_on": [{"id": "a", "when": §"later"}]',
      'depends_on[0].when: expected "completed" or "finished", found "later"',
    ],
    [
      '"acceptance_tests": [§5]',
      'acceptance_tests[0]: expected text or an object with one of run, manual, found 5',
    ],
    [
      '"acceptance_tests": [{"run": "a", "env": {§"__proto__": "c"}}]',
      'acceptance_tests[0].env.__proto__: this name is reserved; expected another',
    ],
    [
      '"acceptance_tests": [{"run": "a", "timeout_seconds": §0}]',
      'acceptance_tests[0].timeout_seconds: expected more than 0, found 0',
    ],
    [
      '"acceptance_tests": [{"manual": §""}]',
      'acceptance_tests[0].manual: expected text that is not empty, found ""',
    ],
    [
      '"acceptance_tests": [§{"run": "a", "manual": "b"}]',
      'acceptance_tests[0]: expected only one of run, manual, found run and manual',
    ],
    [
      '"compensation_actions": [{"command": §[]}]',
      'compensation_actions[0].command[0]: is missing; expected a string',
    ],
  ])('%s', (fields, expected) => {
    const { text, place } = marked(definition(fields));
    expect(problemsOf(text)).toEqual([`${place}: error: ${expected}`]);
  });
});

describe('a step', () => {
  test.each([
    ['§[]', 'steps: expected at least 1 element, found an empty array'],
    ['§{}', 'steps: expected an array, found an object'],
    [
      '[§"npm test"]',
      'steps[0]: expected an object with one of module, run, command, tool, found "npm test"',
    ],
    ['[§{}]', 'steps[0]: expected one of module, run, command, tool'],
    ['[{"run": §""}]', 'steps[0].run: expected text that is not empty, found ""'],
    ['[{"run": §"a\\u0000b"}]', 'steps[0].run: expected text without NUL characters, found "a\\u0000b"'],
    ['[{"run": §["a"]}]', 'steps[0].run: expected a string, found an array'],
    [
      '[§{"run": "a", "command": ["b"]}]',
      'steps[0]: expected only one of module, run, command, tool, found run and command',
    ],
    ['[{"command": §"a b"}]', 'steps[0].command: expected an array, found "a b"'],
    ['[{"command": ["a", §5]}]', 'steps[0].command[1]: expected a string, found 5'],
    ['[§{"tool": "aider"}]', 'steps[0].tasks: is missing; expected an array'],
    [
      '[{"tool": "aider", "tasks": §[]}]',
      'steps[0].tasks: expected at least 1 element, found an empty array',
    ],
    ['[{"module": §5}]', 'steps[0].module: expected a string, found 5'],
    ['[{"run": "a", "timeout_seconds": §-1}]', 'steps[0].timeout_seconds: expected more than 0, found -1'],
    [
      '[{"run": "a", "env": {"A": §null}}]',
      'steps[0].env.A: expected a string, a number, true or false, found null',
    ],
    [
      '[{"run": "a", "env": {§"A B": "c"}}]',
      'steps[0].env["A B"]: expected a variable name of letters, digits and "_"',
    ],
    [
      '[{"run": "a", "env": {§"__proto__": "c"}}]',
      'steps[0].env.__proto__: this name is reserved; expected another',
    ],
    [
      '[{"run": "a", "continue_on_error": §1}]',
      'steps[0].continue_on_error: expected true or false, found 1',
    ],
    [
      '[{"run": "a", "id": "x"}, {"run": "b", "id": §"x"}]',
      'steps[1].id: an earlier step has the id "x" already',
    ],
    [
      '[{"run": "a", "id": "step-2"}, §{"run": "b"}]',
      'steps[1]: an earlier step has the id "step-2" already',
    ],
  ])('%s', (steps, expected) => {
    const { text, place } = marked(`{"id": "ws-a", "steps": ${steps}}`);
    expect(problemsOf(text)).toEqual([`${place}: error: ${expected}`]);
  });
});

describe('cache', () => {
  test.each([
    ['"cache": §"yes"', 'cache: expected true, false, or an object with inputs and env, found "yes"'],
    [
      '"cache": {"env": [§"A B"]}',
      'cache.env[0]: expected a variable name of letters, digits and "_", found "A B"',
    ],
    [
      '"workspace": "worktree", "cache": §true',
      'cache: a worktree\'s commits can\'t be taken over; expected "workspace": "shared"',
    ],
  ])('%s', (field, message) => {
    const { text, place } = marked(definition(field));
    expect(problemsOf(text)).toEqual([`${place}: error: ${message}`]);
  });

  test('is refused where a tool works in a worktree by default, and taken where it says shared', () => {
    const message =
      'cache: the work of a tool step is in a worktree of its own, and its commits can\'t be taken over; expected "workspace": "shared" beside it';
    const tool = '[{"tool": "aider", "tasks": ["x"]}]';
    const { text, place } = marked(definition('"cache": §true', tool));
    expect(problemsOf(text)).toEqual([`${place}: error: ${message}`]);
    expect(problemsOf(definition('"workspace": "shared", "cache": true', tool))).toEqual([]);
  });
});

describe('the id', () => {
  test.each([
    ['§{"steps": [{"run": "x"}]}', 'id: is missing; expected a string'],
    ['{"id": §5, "steps": [{"run": "x"}]}', 'id: expected a string, found 5'],
    [
      '{"id": §"My WS", "steps": [{"run": "x"}]}',
      'id: expected lower-case letters, digits and "-", a letter or digit first, at most 100 characters, found "My WS"',
    ],
    [
      '{"id": §"-a", "steps": [{"run": "x"}]}',
      'id: expected lower-case letters, digits and "-", a letter or digit first, at most 100 characters, found "-a"',
    ],
  ])('%s', (source, expected) => {
    const { text, place } = marked(source);
    expect(problemsOf(text)).toEqual([`${place}: error: ${expected}`]);
    expect(loadFiles({ 'a.json': text }).broken.map(({ id }) => id)).toEqual(['a']);
    expect(loadFiles({ 'a.json': `[${text}]` }).broken.map(({ id }) => id)).toEqual(['a[0]']);
  });

  test('has at most 100 characters', () => {
    const ids = (length: number): string[] =>
      loadFiles({ 'a.json': { id: 'x'.repeat(length), steps: [{ run: 'x' }] } }).workstreams.map(
        ({ id }) => id,
      );
    expect(ids(100)).toEqual(['x'.repeat(100)]);
    expect(ids(101)).toEqual([]);
  });
});

describe('what there is to execute', () => {
  test.each([
    ['§{"id": "a"}', 'there is nothing to execute; expected steps, a tool with tasks, or a capability'],
    [
      '{"id": "a", "tasks": §["b"]}',
      'tasks: nothing does these tasks; expected a tool or a capability beside them',
    ],
    ['{"id": "a", "tool": §"aider"}', 'tool: the tool has no tasks to do; expected tasks'],
    [
      '{"id": "a", "steps": [{"run": "x"}], "tool": §"b"}',
      'tool: steps are there too; write it as a tool step among them',
    ],
  ])('%s', (source, expected) => {
    const { text, place } = marked(source);
    expect(problemsOf(text)).toEqual([`${place}: error: ${expected}`]);
  });
});

describe('a field that can only be a slip of a known one is an error', () => {
  test.each([
    ['§"dependsOn": []', 'dependsOn', 'depends_on'],
    ['§"dependson": []', 'dependson', 'depends_on'],
    ['§"depends-on": []', 'depends-on', 'depends_on'],
    ['§"DEPENDS_ON": []', 'DEPENDS_ON', 'depends_on'],
    ['§"depend_on": []', 'depend_on', 'depends_on'],
    ['§"file_scope": []', 'file_scope', 'files_scope'],
    ['§"TimeoutSeconds": 1', 'TimeoutSeconds', 'timeout_seconds'],
    ['§"acceptance_test": []', 'acceptance_test', 'acceptance_tests'],
    ['§"priorty": 1', 'priorty', 'priority'],
    ['§"prioritx": 1', 'prioritx', 'priority'],
    ['§"schema": "x"', 'schema', '$schema'],
    ['§"ID": "x"', 'ID', 'id'],
    ['§"Kind": "x"', 'Kind', 'kind'],
    ['"depends_on": [{"id": "b", §"When": 1}]', 'depends_on[0].When', 'when'],
    ['"circuit_breaker": {§"maxAttempts": 1}', 'circuit_breaker.maxAttempts', 'max_attempts'],
    ['"circuit_breaker": {§"max_attempt": 1}', 'circuit_breaker.max_attempt', 'max_attempts'],
    ['"capability_payload": {§"promt": 1}', 'capability_payload.promt', 'prompt'],
    ['"test_gates": [{"type": "GATE_UNIT", §"requred": 1}]', 'test_gates[0].requred', 'required'],
    ['"acceptance_tests": [{"run": "b", §"reports": "x"}]', 'acceptance_tests[0].reports', 'report'],
    ['"compensation_actions": [{"run": "b", §"Shell": "sh"}]', 'compensation_actions[0].Shell', 'shell'],
  ])('%s', (fields, name, meant) => {
    const { text, place } = marked(definition(fields));
    expect(problemsOf(text)).toEqual([`${place}: error: ${name}: unknown field; did you mean "${meant}"?`]);
    expect(loadFiles({ 'a.json': text }).workstreams).toEqual([]);
  });

  test('also behind more unknown fields than are listed, and after a thousand problems', () => {
    const names = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`own-${index}`, 1]));
    const odd = Array.from({ length: 60 }, (_, index) => ({
      id: `ws-${index}`,
      steps: [{ run: 'x' }],
      ...names,
    }));
    const loaded = loadFiles({ 'a.json': [...odd, { ...odd[0], id: 'ws-last', dependson: [] }] });
    expect(loaded.broken.map(({ id }) => id)).toEqual(['ws-last']);
  });
});

describe('a key that is given twice is an error with both places', () => {
  test.each([
    [
      '{"id": "ws-a", "steps": [{"run": "x"}],\n "steps": [{"run": "y"}]}',
      '2:2',
      'steps',
      'twice, also at 1:16',
    ],
    ['{"id": "ws-a", "steps": [{"run": "x", "run": "y"}]}', '1:39', 'steps[0].run', 'twice, also at 1:27'],
    [
      '{"id": "ws-a", "steps": [{"run": "x"}], "metadata": {"a": [{"b": 1,\n"b": 2, "b": 3}]}}',
      '2:9',
      'metadata.a[0].b',
      '3 times, also at 1:61, 2:1',
    ],
    [
      '{"id": "ws-a", "steps": [{"run": "x"}], // "a": {\n "\\u0069d": "ws-a"}',
      '2:2',
      'id',
      'twice, also at 1:2',
    ],
    [
      '{"id": "ws-a", "steps": [{"run": "x", "env": {"A:": 1, "A": 1, "A": 1}}],}',
      '1:64',
      'steps[0].env.A',
      null,
    ],
  ])('%s', (text, place, path, where) => {
    const problems = problemsOf(text);
    const found = problems.find((line) => line.includes('this key is given'));
    expect(found).toContain(`${place}: error: ${path}: this key is given ${where ?? 'twice'}`);
    expect(loadFiles({ 'a.json': text }).workstreams).toEqual([]);
  });

  test('costs only the workstream that it stands in', () => {
    const text =
      '[{"id": "ws-a", "steps": [{"run": "x"}]},\n{"id": "ws-b", "id": "ws-c", "steps": [{"run": "x"}]}]';
    const loaded = loadFiles({ 'a.json': text });
    expect(loaded.workstreams.map(({ id }) => id)).toEqual(['ws-a']);
    expect(problemsOf(text)).toEqual([
      '2:16: error: id: this key is given twice, also at 2:2; keep one of them',
    ]);
  });

  test('text that only looks like a key is none', () => {
    expect(
      problemsOf(
        definition(
          '"title": "a\\": 1, \\"a", /* "title": 1 */ "metadata": {"a": {"title": ":"}, "b": {"a": 1}}',
        ),
      ),
    ).toEqual([]);
  });
});

describe('warnings', () => {
  test.each([
    ['§"titel": 1', 'titel: unknown field; did you mean "title"?'],
    ['§"colour": 1', 'colour: unknown field; it is kept and not used'],
    ['§"a b\\n": 1', '["a b\\n"]: unknown field; it is kept and not used'],
    ['§"command": []', 'command: unknown field; command belongs in a step: "steps": [{ "command": … }]'],
    ['"depends_on": [{"id": "b", §"wen": 1}]', 'depends_on[0].wen: unknown field; did you mean "when"?'],
    ['§"timeout": 1', 'timeout: unknown field; did you mean "timeout_seconds"?'],
    ['§"tools": []', 'tools: unknown field; did you mean "tool"?'],
    [
      '"acceptance_tests": [{"run": "b", §"colour": 1}]',
      'acceptance_tests[0].colour: unknown field; it is kept and not used',
    ],
    ['"priority": §"hihg"', 'priority: unknown word "hihg", counts as "normal"; did you mean "high"?'],
    [
      '"priority": §"7"',
      'priority: unknown word "7", counts as "normal"; known are critical, P0, high, P1, foreground, normal, medium, P2, low, P3, background and integers',
    ],
  ])('%s', (fields, expected) => {
    const { text, place } = marked(definition(fields));
    expect(problemsOf(text)).toEqual([`${place}: warning: ${expected}`]);
    expect(loadFiles({ 'a.json': text }).workstreams).toHaveLength(1);
  });

  test('inside a step, by the fields of its kind', () => {
    expect(
      problemsOf(definition('"title": "b"', '[{"run": "x", "inputs": 1, "timeout_second": 2}]')),
    ).toEqual([
      '1:39: warning: steps[0].inputs: unknown field; it is kept and not used',
      '1:52: error: steps[0].timeout_second: unknown field; did you mean "timeout_seconds"?',
    ]);
  });

  test('none for what has names of its own', () => {
    const text = definition(
      '"metadata": {"dependsOn": 1, "Title": 1}, "matrix": {"titles": [1], "Steps": [1]}',
      '[{"module": "./task.mjs", "input": {"timeoutSeconds": 1}, "env": {"STEPS": "1"}}]',
    );
    expect(problemsOf(text).filter((line) => line.includes('unknown'))).toEqual([]);
  });

  test('none for comments and $schema', () => {
    const text = definition(
      '"$schema": "x", "_comment": 1, "_comment_2": 2, "circuit_breaker": {"_comment": 1}',
      '[{"run": "x", "_comment": "why"}]',
    );
    expect(problemsOf(text)).toEqual([]);
  });

  test('belong to the failure of a workstream that is broken besides', () => {
    const loaded = loadFiles({ 'a.json': { id: 'ws-a', step: [] } });
    expect(loaded.broken[0]?.failure).toEqual({
      reason: 'invalid-workstream',
      problems: [
        'workstreams/a.json:1:1: error: there is nothing to execute; expected steps, a tool with tasks, or a capability',
        'workstreams/a.json:1:14: error: step: unknown field; did you mean "steps"?',
      ],
      place: { file: 'workstreams/a.json', line: 1, column: 1 },
    });
  });
});

test('every problem of a definition is reported at once, in order of place', () => {
  const text =
    '{\n  "id": "A",\n  "title": 1,\n  "steps": [\n    { "run": 2 },\n    { "comand": [] }\n  ]\n}';
  expect(problemsOf(text)).toEqual([
    '2:9: error: id: expected lower-case letters, digits and "-", a letter or digit first, at most 100 characters, found "A"',
    '3:12: error: title: expected a string, found 1',
    '5:14: error: steps[0].run: expected a string, found 2',
    '6:5: error: steps[1]: expected one of module, run, command, tool',
    '6:7: error: steps[1].comand: unknown field; did you mean "command"?',
  ]);
});

test('lists that are too long to check are refused', () => {
  const loaded = loadFiles({
    'a.json': { id: 'ws-a', tool: 'b', tasks: Array.from({ length: 100_001 }, () => 1) },
  });
  expect(loaded.problems.map(({ path, message }) => [path, message])).toEqual([
    ['tasks', 'expected at most 100000 elements'],
  ]);
});

describe('a module that is not there', () => {
  test('is a broken workstream with that reason, and a problem at its place', () => {
    const loaded = loadFiles({
      'a.json': '{"id": "ws-a", "title": "A", "steps": [{"run": "x"},\n {"module": "./none.mjs"}]}',
      'there.mjs': '',
      'b.json': { id: 'ws-b', steps: [{ module: './there.mjs' }] },
    });
    const module = `${loaded.start}/workstreams/none.mjs`;
    expect(loaded.broken).toEqual([
      {
        id: 'ws-a',
        title: 'A',
        source: { file: 'workstreams/a.json', position: 0 },
        failure: { reason: 'module-not-found', module },
      },
    ]);
    expect(loaded.problems).toEqual([
      {
        severity: 'error',
        file: 'workstreams/a.json',
        line: 2,
        column: 13,
        path: 'steps[1].module',
        message: `there is no module file ${module}`,
        workstreamId: 'ws-a',
      },
    ]);
    expect(loaded.workstreams.map(({ id }) => id)).toEqual(['ws-b']);
  });

  test('is one problem and one broken workstream for each member of a matrix', () => {
    const loaded = loadFiles({ 'a.json': { id: 'ws-a', matrix: { n: [1, 2] }, steps: [{ module: '.' }] } });
    expect(loaded.broken.map(({ id, failure }) => [id, failure.reason])).toEqual([
      ['ws-a-n-1', 'module-not-found'],
      ['ws-a-n-2', 'module-not-found'],
    ]);
    expect(loaded.problems).toHaveLength(1);
  });
});

test('a path is no longer than systems have it', () => {
  const paths = (length: number): string => definition(`"files_scope": ["${'x'.repeat(length)}"]`);
  expect(problemsOf(paths(4096))).toEqual([]);
  expect(problemsOf(paths(4097))).toEqual([
    expect.stringContaining('error: files_scope[0]: expected at most 4096'),
  ]);
});
