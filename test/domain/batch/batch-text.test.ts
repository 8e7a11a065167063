import { expect, test } from 'vitest';
import type { Assignment } from '../../../src/domain/assignment.ts';
import { BatchReader, BatchWriter, memberMark } from '../../../src/domain/batch/batch-text.ts';
import { copyOf } from '../../../src/domain/workstream.ts';
import { PlainWorkstream } from '../../../src/workstream/plain-workstream.ts';
import { assignment, moduleStep, runStep, workstream } from '../../kit/definitions.ts';

const first = assignment('/work', workstream('ws-a', [moduleStep('/work/a.mjs', 'default', { n: 1 })]), {
  dependencies: { 'ws-z': [1] },
});

const changes: Partial<Assignment>[] = [
  {},
  { attempt: 2, previousFailure: { reason: 'interrupted', detail: 'again' } },
  { workspace: '/elsewhere', setup: 'npm ci', limits: { ...first.limits, timeoutSeconds: 5 } },
  { dependencies: { 'ws-a': { deep: [null, 'ü'] } }, budgets: [{ of: 'run', limitUsd: 1, spentUsd: 0 }] },
  {
    workstream: workstream('ws-b', [runStep('true'), moduleStep('/b.mjs')], { priority: 3, extra: { x: 1 } }),
  },
  { workstream: workstream('ws-c', [moduleStep('/c.mjs')], { filesScope: ['src/**'], matrix: { seed: 1 } }) },
];

const read = (base: Assignment, members: readonly Assignment[], usesLane = true): BatchReader => {
  const writer = new BatchWriter(base, usesLane);
  for (const member of members) writer.add(member);
  return new BatchReader(writer.text);
};

const readAgain = (given: Assignment, base = first): Assignment => read(base, [given]).assignmentOf(0);

test('a member is the whole assignment again, in whatever it differs from the first', () => {
  for (const change of changes) {
    const given = { ...first, ...change };
    expect(readAgain(given)).toEqual(given);
  }
});

const plainWorkstream = (id: string, work = { steps: [moduleStep('/plain.mjs')], written: '' }) =>
  new PlainWorkstream({
    id,
    title: undefined,
    description: undefined,
    needs: undefined,
    work,
    file: 'a.json',
    position: 7,
  });

test.each([
  ['an ordinary workstream', first, plainWorkstream('ws-p')],
  ['a plain one', { ...first, workstream: plainWorkstream('ws-p') }, workstream('ws-o', [], { priority: 3 })],
  ['a plain one', { ...first, workstream: plainWorkstream('ws-p') }, plainWorkstream('ws-q')],
])('a member is whole again behind %s as the first', (_, base, other) => {
  const given = { ...first, workstream: other };
  expect(readAgain(given, base)).toEqual({ ...given, workstream: copyOf(other) });
});

test('every field of an assignment in which it differs is in the member', () => {
  for (const name of Object.keys(first)) {
    if (name === 'workstream') continue;
    const given = { ...first, [name]: { other: name } };
    expect(readAgain(given)).toEqual(given);
  }
});

test('members share nothing', () => {
  const reader = read(first, [first, first]);
  const [one, other] = [reader.assignmentOf(0), reader.assignmentOf(1)];
  one.workstream.scopes.push('x');
  one.limits.timeoutSeconds = 1;
  expect(other).toEqual(first);
});

test('only one module step with nothing before or after it is plain', () => {
  const plain = (given: Partial<Assignment>, usesLane = true) =>
    read(first, [{ ...first, ...given }], usesLane).callOf(0) !== null;
  const module = moduleStep('/a.mjs');
  expect(plain({})).toBe(true);
  expect(plain({}, false)).toBe(false);
  expect(plain({ setup: 'true' })).toBe(false);
  const gates = [{ type: 'GATE_LINT', required: true, blocking: true } as const];
  const acceptanceTests = [{ kind: 'text', text: 'works' } as const];
  for (const definition of [
    workstream('ws-a', [runStep('true')]),
    workstream('ws-a', [module, module]),
    workstream('ws-a', [{ ...module, timeoutSeconds: 1 }]),
    workstream('ws-a', [module], { testGates: gates }),
    workstream('ws-a', [module], { acceptanceTests }),
  ])
    expect(plain({ workstream: definition })).toBe(false);
});

test('a member that differs in who executes it is executed by that one', () => {
  const scope = { runId: 'run', agentId: 'agent-2', attempt: 2, workspace: '/elsewhere' };
  const reader = read(first, [first, { ...first, ...scope }]);
  expect(reader.scopeOf(0)).toMatchObject({ agentId: first.agentId, attempt: first.attempt });
  expect(reader.scopeOf(1)).toEqual(scope);
});

test('calls of one function are told apart only when they are asked for', () => {
  const work = { steps: [moduleStep('/plain.mjs')], written: '' };
  const [base = first, ...others] = ['ws-p', 'ws-q', 'ws-r'].map((id) => ({
    ...first,
    dependencies: {},
    workstream: plainWorkstream(id, work),
  }));
  const writer = new BatchWriter(base, true);
  for (const member of others) writer.add(member);
  expect(writer.text.alike).toBe(true);
  const reader = new BatchReader({ ...writer.text, members: 'not read' });
  expect(reader.indices.map((index) => reader.callOf(index))).toEqual([...work.steps, ...work.steps]);
  expect(() => reader.assignmentOf(0)).toThrow(SyntaxError);
  expect(new BatchReader(writer.text).assignmentOf(1).workstream.id).toBe('ws-r');
});

test('a member that has ended already is left out', () => {
  const writer = new BatchWriter(first, true);
  writer.add(first);
  writer.addEnded();
  writer.add(first);
  expect(new BatchReader(writer.text).indices).toEqual([0, 2]);
});

test('no mark of a member is in that of another one', () => {
  expect(memberMark('run/batch', 12)).not.toContain(memberMark('run/batch', 1));
});
