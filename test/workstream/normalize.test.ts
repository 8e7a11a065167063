import { expect, test } from 'vitest';
import { copyOf, type Workstream } from '../../src/domain/workstream.ts';
import { loadFiles } from './load-files.ts';

function one(definition: object): Workstream & { start: string } {
  const loaded = loadFiles({ 'a.json': definition, 'task.mjs': '' });
  const [workstream] = loaded.workstreams;
  if (workstream === undefined) throw new Error(JSON.stringify(loaded.problems));
  return { ...copyOf(workstream), start: loaded.start };
}

const steps = [{ run: 'x' }];

test('a definition with the least has every default', () => {
  const { start, hash, ...workstream } = one({ id: 'ws-a', steps });
  expect(start).not.toBe('');
  expect(hash).toMatch(/^[0-9a-f]{64}$/);
  expect(workstream).toEqual({
    id: 'ws-a',
    base: 'ws-a',
    title: 'ws-a',
    description: null,
    kind: null,
    priority: 0,
    dependsOn: [],
    steps: [
      {
        kind: 'run',
        id: 'step-1',
        timeoutSeconds: null,
        env: {},
        cwd: null,
        continueOnError: false,
        sandbox: null,
        network: null,
        run: 'x',
        shell: null,
      },
    ],
    acceptanceTests: [],
    testGates: [],
    scopes: [],
    conflictGroup: null,
    parallelOk: true,
    filesScope: [],
    filesCreate: [],
    circuitBreaker: { maxAttempts: 1, maxErrorRepeats: null, oscillationThreshold: null, cooldownSeconds: 0 },
    compensation: [],
    workspace: null,
    maxCostUsd: null,
    onRetry: null,
    review: null,
    gate: null,
    track: null,
    timeoutSeconds: null,
    isolation: 'thread',
    memoryLimitMb: null,
    cpus: null,
    memoryMb: null,
    requires: [],
    cache: null,
    sandbox: null,
    network: null,
    matrix: null,
    outputs: [],
    extra: {},
    source: { file: 'workstreams/a.json', position: 0 },
  });
});

test('a definition with everything has its fields in their place, and the rest as it stood in extra', () => {
  const extra = {
    _comment: 'why',
    metadata: { owner: 'me' },
    circuit_breaker: {
      max_attempts: 3,
      max_error_repeats: 2,
      oscillation_threshold: 2,
      cooldown_seconds: 0.5,
    },
    compensation_actions: ['git checkout .', { run: 'rm -f x' }, { command: ['rm', 'y'] }],
    workspace: 'worktree',
    openspec_change: 'OS-1',
    ccpm_issue: 'I-1',
    gate: 2,
    capability: 'code_generation',
    capability_payload: { files: ['a'], prompt: 'b', timeout_ms: 1, max_retries: 0 },
    test_gates: [{ type: 'GATE_LINT', required: true, blocking: false }],
    estimated_context_tokens: 1000,
    max_cost_usd: 1.5,
    doc_id: 'DOC-1',
    track: 'core',
    unheard_of: [1, { a: null }],
  };
  const workstream = one({
    $schema: 'x',
    id: 'ws-a',
    title: 'A',
    description: 'B',
    kind: 'c',
    priority: 7,
    depends_on: ['ws-b', { id: 'ws-c' }, { id: 'ws-d', when: 'finished' }],
    steps,
    files_scope: ['src/**', 'a'],
    files_create: ['a', 'b'],
    conflict_group: 'g',
    parallel_ok: false,
    acceptance_tests: ['npm test', { run: 'make' }, { manual: 'looks right' }],
    timeout_seconds: 12.5,
    memory_limit_mb: 512,
    cpus: 1.5,
    memory_mb: 256,
    ...extra,
  });
  expect(workstream.extra).toEqual(extra);
  expect(workstream).toMatchObject({
    title: 'A',
    description: 'B',
    kind: 'c',
    priority: 7,
    dependsOn: [
      { id: 'ws-b', when: 'completed' },
      { id: 'ws-c', when: 'completed' },
      { id: 'ws-d', when: 'finished' },
    ],
    scopes: ['src/**', 'a', 'b'],
    conflictGroup: 'g',
    parallelOk: false,
    acceptanceTests: [
      { kind: 'text', text: 'npm test' },
      { kind: 'run', text: 'make', name: null, timeoutSeconds: null, env: {}, cwd: null, report: null },
      { kind: 'manual', text: 'looks right' },
    ],
    testGates: [{ type: 'GATE_LINT', required: true, blocking: false }],
    timeoutSeconds: 12.5,
    isolation: 'process',
    memoryLimitMb: 512,
    cpus: 1.5,
    memoryMb: 256,
    filesScope: ['src/**', 'a'],
    filesCreate: ['a', 'b'],
    circuitBreaker: { maxAttempts: 3, maxErrorRepeats: 2, oscillationThreshold: 2, cooldownSeconds: 0.5 },
    compensation: [
      { kind: 'run', id: 'compensation-1', run: 'git checkout .' },
      { kind: 'run', id: 'compensation-2', run: 'rm -f x' },
      { kind: 'command', id: 'compensation-3', command: ['rm', 'y'] },
    ],
    workspace: 'worktree',
    maxCostUsd: 1.5,
    track: 'core',
  });
});

test('every kind of step, with module paths from the file and folders from the start', () => {
  const workstream = one({
    id: 'ws-a',
    steps: [
      { id: 'first', module: './task.mjs' },
      { module: 'task.mjs', export: 'other', input: null, timeout_seconds: 1, continue_on_error: true },
      { run: 'npm test', cwd: 'packages/a', env: { A: '1' }, shell: 'bash' },
      { command: ['node', '-v', ''], cwd: '/tmp' },
      { tool: 'aider', tasks: ['a', 'b'] },
    ],
  });
  const base = { timeoutSeconds: null, env: {}, cwd: null, continueOnError: false };
  const ofProcess = { ...base, sandbox: null, network: null };
  const module = `${workstream.start}/workstreams/task.mjs`;
  expect(workstream.steps).toEqual([
    { ...base, kind: 'module', id: 'first', module, export: 'default', input: null },
    {
      ...base,
      kind: 'module',
      id: 'step-2',
      module,
      export: 'other',
      input: null,
      timeoutSeconds: 1,
      continueOnError: true,
    },
    {
      ...ofProcess,
      kind: 'run',
      id: 'step-3',
      run: 'npm test',
      shell: 'bash',
      cwd: `${workstream.start}/packages/a`,
      env: { A: '1' },
    },
    { ...ofProcess, kind: 'command', id: 'step-4', command: ['node', '-v', ''], cwd: '/tmp' },
    { ...ofProcess, kind: 'tool', id: 'step-5', tool: 'aider', tasks: ['a', 'b'] },
  ]);
});

test.each([
  [{ tool: 'aider', tasks: ['a'] }, 'aider', ['a']],
  [{ tool: 'aider', tasks: ['a'], capability: 'code', capability_payload: { prompt: 'p' } }, 'aider', ['a']],
  [{ capability: 'code', tasks: ['a'] }, 'code', ['a']],
  [{ capability: 'code', capability_payload: { prompt: 'p' } }, 'code', ['p']],
  [{ capability: 'code' }, 'code', []],
])('%j is one tool step', (fields, tool, tasks) => {
  expect(one({ id: 'ws-a', ...fields }).steps).toEqual([
    {
      kind: 'tool',
      id: 'step-1',
      timeoutSeconds: null,
      env: {},
      cwd: null,
      continueOnError: false,
      sandbox: null,
      network: null,
      tool,
      tasks,
    },
  ]);
});

test.each([
  ['critical', 2],
  ['P0', 2],
  ['high', 1],
  ['P1', 1],
  ['foreground', 1],
  ['normal', 0],
  ['medium', 0],
  ['P2', 0],
  ['low', -1],
  ['P3', -1],
  ['background', -1],
  ['HIGH', 1],
  ['urgent', 0],
  [0, 0],
  [-5, -5],
  [100, 100],
])('priority %j is %j', (priority, expected) => {
  expect(one({ id: 'ws-a', steps, priority }).priority).toBe(expected);
});

test.each([
  [true, { inputs: [], env: [] }],
  [{}, { inputs: [], env: [] }],
  [
    { inputs: ['a', '!b/**'], env: ['SEED'] },
    { inputs: ['a', '!b/**'], env: ['SEED'] },
  ],
  [false, null],
])('cache %j', (cache, expected) => {
  expect(one({ id: 'ws-a', steps, cache })).toMatchObject({ cache: expected });
});

test('the inputs of cache have the values of each member of a matrix', () => {
  const { workstreams } = loadFiles({
    'a.json': { id: 'ws-a', steps, matrix: { n: [1, 2] }, cache: { inputs: ['in/${{ matrix.n }}.csv'] } },
  });
  expect(workstreams.map(({ cache }) => cache?.inputs)).toEqual([['in/1.csv'], ['in/2.csv']]);
});

test('the hash is that of the definition, however it is written', () => {
  const hash = (text: string): string | undefined => loadFiles({ 'x.json': text }).workstreams[0]?.hash;
  const first = hash('{"id":"ws-a","steps":[{"run":"x","env":{"A":"1","B":2}}]}');
  expect(hash('// c\n{ "steps": [{ "env": {"B": 2.0, "A": "\\u0031"}, "run": "x", }], "id": "ws-a" }')).toBe(
    first,
  );
  expect(hash('{"id":"ws-a","steps":[{"run":"x","env":{"A":"1","B":3}}]}')).not.toBe(first);
  expect(hash('{"id":"ws-a","steps":[{"run":"x","env":{"A":"1","B":2}}],"note":1}')).not.toBe(first);
});

test('an acceptance test that is a command, and a gate, have their fields', () => {
  const { acceptanceTests, testGates } = one({
    id: 'ws-a',
    steps,
    acceptance_tests: [
      {
        run: 'npm test',
        name: 'Unit',
        timeout_seconds: 5,
        env: { CI: true, N: 1 },
        cwd: 'web',
        report: 'r/*.xml',
      },
    ],
    test_gates: [{ type: 'GATE_UNIT' }, { type: 'GATE_SECURITY', required: false }],
  });
  expect(acceptanceTests).toEqual([
    {
      kind: 'run',
      text: 'npm test',
      shell: null,
      name: 'Unit',
      timeoutSeconds: 5,
      env: { CI: 'true', N: '1' },
      cwd: 'web',
      report: 'r/*.xml',
    },
  ]);
  expect(testGates).toEqual([
    { type: 'GATE_UNIT', required: true, blocking: true },
    { type: 'GATE_SECURITY', required: false, blocking: true },
  ]);
});

test('a step says how it is contained, and where it does not, its workstream', () => {
  const workstream = one({
    id: 'ws-a',
    sandbox: 'bwrap',
    network: 'none',
    steps: [
      { run: 'a' },
      { run: 'b', sandbox: { kind: 'bwrap', write: ['~/.npm'] }, network: ['example.org'] },
    ],
    compensation_actions: ['c'],
  });
  const plain = { kind: 'bwrap', write: [], read: [], hide: [] };
  expect(workstream).toMatchObject({
    sandbox: plain,
    network: 'none',
    steps: [
      { sandbox: plain, network: 'none' },
      { sandbox: { ...plain, write: ['~/.npm'] }, network: ['example.org'] },
    ],
    compensation: [{ sandbox: plain, network: 'none' }],
  });
});

test('a module step that would have to be contained is refused', () => {
  const definition = { id: 'ws-a', sandbox: 'bwrap', steps: [{ module: './task.mjs' }] };
  const { problems } = loadFiles({ 'a.json': definition, 'task.mjs': '' });
  expect(problems[0]?.message).toContain('a module step runs in Millrace itself, where nothing contains it');
});
