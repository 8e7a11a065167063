import { expect, test } from 'vitest';
import type { Assignment } from '../../src/domain/assignment.ts';
import { BatchWriter, memberMark, wholeAssignment } from '../../src/domain/assignment-batch.ts';
import { copyOf } from '../../src/domain/workstream.ts';
import { PlainWorkstream } from '../../src/workstream/plain-workstream.ts';
import { assignment, moduleStep, runStep, workstream } from '../kit/definitions.ts';

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

const written = (given: Assignment, usesLane = true) =>
  JSON.parse(new BatchWriter(first, usesLane).member(given));

test('a member is the whole assignment again, in whatever it differs from the first', () => {
  const { base } = new BatchWriter(first, true);
  for (const change of changes) {
    const given = { ...first, ...change };
    expect(wholeAssignment(written(given), base)).toEqual(given);
  }
});

const plainWorkstream = (id: string) =>
  new PlainWorkstream({
    id,
    title: undefined,
    description: undefined,
    needs: undefined,
    work: { steps: [moduleStep('/plain.mjs')], written: '' },
    file: 'a.json',
    position: 7,
  });

test.each([
  ['an ordinary workstream', first, plainWorkstream('ws-p')],
  ['a plain one', { ...first, workstream: plainWorkstream('ws-p') }, workstream('ws-o', [], { priority: 3 })],
  ['a plain one', { ...first, workstream: plainWorkstream('ws-p') }, plainWorkstream('ws-q')],
])('a member is whole again behind %s as the first', (_, base, other) => {
  const writer = new BatchWriter(base, true);
  const given = { ...first, workstream: other };
  const whole = wholeAssignment(JSON.parse(writer.member(given)), writer.base);
  expect(whole).toEqual({ ...given, workstream: copyOf(other) });
});

test('every field of an assignment in which it differs is in the member', () => {
  const { base } = new BatchWriter(first, true);
  for (const name of Object.keys(first)) {
    if (name === 'workstream') continue;
    const given = { ...first, [name]: { other: name } };
    expect(wholeAssignment(written(given), base)).toEqual(given);
  }
});

test('members share nothing', () => {
  const { base } = new BatchWriter(first, true);
  const [one, other] = [wholeAssignment(written(first), base), wholeAssignment(written(first), base)];
  one.workstream.scopes.push('x');
  one.limits.timeoutSeconds = 1;
  expect(other).toEqual(first);
});

test('only one module step with nothing before or after it is plain', () => {
  const plain = (given: Partial<Assignment>, usesLane = true) =>
    written({ ...first, ...given }, usesLane).plain;
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

test('no mark of a member is in that of another one', () => {
  expect(memberMark('run/batch', 12)).not.toContain(memberMark('run/batch', 1));
});
