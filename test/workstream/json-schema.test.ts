import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { workstreamJsonSchema } from '../../src/workstream/json-schema.ts';
import { loadFiles } from './load-files.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

test('workstream.schema.json is what the code makes (vitest -u writes it)', async () => {
  const biome = `${root}node_modules/.bin/biome`;
  const formatted = execFileSync(biome, ['format', '--stdin-file-path=workstream.schema.json'], {
    cwd: root,
    input: JSON.stringify(workstreamJsonSchema()),
    encoding: 'utf8',
  });
  await expect(formatted).toMatchFileSnapshot(`${root}workstream.schema.json`);
});

const validate = new Ajv2020({ strictTypes: false, strictTuples: false }).compile(workstreamJsonSchema());
const work = { id: 'ws-a', steps: [{ run: 'x' }] };
const step = (fields: object) => ({ id: 'ws-a', steps: [fields] });

describe('the schema and the loader agree', () => {
  test.each<[object]>([
    [work],
    [[work, { ...work, id: '0' }]],
    [[]],
    [{ ...work, $schema: 'x', _comment: 1, unknown: { a: 1 } }],
    [
      step({
        run: 'x',
        env: { A: '1', B: 2, C: true },
        cwd: 'a',
        timeout_seconds: 0.5,
        continue_on_error: true,
        id: 'b',
        unknown: 1,
      }),
    ],
    [step({ command: ['a', ''] })],
    [step({ tool: 'a', tasks: ['b'] })],
    [{ id: 'ws-a', tool: 'a', tasks: ['b'] }],
    [{ id: 'ws-a', capability: 'a' }],
    [{ id: 'ws-a', capability: 'a', tasks: ['b'], capability_payload: { prompt: 'c' } }],
    [{ id: 'ws-a', capability: 'a', tool: 'b', tasks: ['c'] }],
    [{ ...work, capability: 'a' }],
    [{ ...work, priority: 'urgent' }],
    [{ ...work, priority: -3 }],
    [{ ...work, depends_on: ['a', { id: 'b' }, { id: 'c', when: 'finished' }] }],
    [{ ...work, acceptance_tests: ['a', { run: 'b' }, { manual: 'c' }] }],
    [
      {
        ...work,
        acceptance_tests: [
          { run: 'b', name: 'B', timeout_seconds: 5, env: { CI: 1 }, cwd: 'web', report: 'out/*.xml' },
        ],
      },
    ],
    [
      {
        ...work,
        test_gates: [{ type: 'GATE_UNIT' }, { type: 'GATE_LINT', required: false, blocking: false }],
      },
    ],
    [{ ...work, compensation_actions: ['a', { run: 'b' }, { command: ['c'] }] }],
    [{ ...work, matrix: { a: [1, null, { b: [] }], 'c-d': ['e'] } }],
    [{ ...work, ccpm_issue: 'I-1', gate: 1, test_gates: [{ type: 'GATE_UNIT' }], max_cost_usd: 0 }],
    [{ ...work, circuit_breaker: { cooldown_seconds: 0 }, isolation: 'process', workspace: 'worktree' }],
  ])('good: %j', (value) => {
    expect(validate(value)).toBe(true);
    expect(loadFiles({ 'a.json': value }).broken).toEqual([]);
  });

  test.each<[object]>([
    [{}],
    [{ id: 'ws-a' }],
    [{ ...work, id: 'A' }],
    [{ ...work, id: 'x'.repeat(101) }],
    [{ ...work, title: null }],
    [{ id: 'ws-a', steps: [] }],
    [{ id: 'ws-a', tasks: ['b'] }],
    [{ id: 'ws-a', tool: 'b' }],
    [{ ...work, tool: 'b', tasks: ['c'] }],
    [{ ...work, tasks: ['c'], capability: 'd' }],
    [step({})],
    [step({ run: 'x', module: './y.mjs' })],
    [step({ run: ' ' })],
    [step({ run: 'x\0' })],
    [step({ run: 'x', timeout_seconds: 0 })],
    [step({ run: 'x', timeout_seconds: 2_147_484 })],
    [step({ run: 'x', env: { 'A B': '1' } })],
    [step({ run: 'x', env: { A: null } })],
    [step({ run: 'x', id: 'y'.repeat(101) })],
    [step({ command: [] })],
    [step({ command: [''] })],
    [step({ tool: 'a' })],
    [{ ...work, priority: 1.5 }],
    [{ ...work, depends_on: [{ when: 'finished' }] }],
    [{ ...work, depends_on: [{ id: 'a', when: 'never' }] }],
    [{ ...work, acceptance_tests: [{ run: 'a', manual: 'b' }] }],
    [{ ...work, acceptance_tests: [{}] }],
    [{ ...work, acceptance_tests: [{ run: 'a', timeout_seconds: 0 }] }],
    [{ ...work, test_gates: [{ type: 'GATE_X' }] }],
    [{ ...work, matrix: {} }],
    [{ ...work, matrix: { a: [] } }],
    [{ ...work, matrix: { '1': [2] } }],
    [{ ...work, gate: 0 }],
    [{ ...work, gate: 1.5 }],
    [{ ...work, test_gates: [{ type: 'GATE' }] }],
    [{ ...work, circuit_breaker: { max_attempts: 0 } }],
    [{ ...work, isolation: 'vm' }],
    [[work, 5]],
  ])('bad: %j', (value) => {
    expect(validate(value)).toBe(false);
    expect(loadFiles({ 'a.json': value }).broken).not.toEqual([]);
  });
});
