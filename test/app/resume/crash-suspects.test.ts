import { expect, test } from 'vitest';
import { isolateSuspects } from '../../../src/app/resume/crash-suspects.ts';
import { makePlan } from '../../../src/plan/plan.ts';
import { makeFolder } from '../../kit/make-workstream.ts';
import { storedRun } from '../../kit/stored-run.ts';

const plan = makePlan(makeFolder([{ id: 'a' }, { id: 'b' }, { id: 'c' }]), new Map());
const died = (deaths = 1) => ({ exitCode: null, signal: 'SIGSEGV', deaths });

function judged(running: string[], deaths: Record<string, number>, after: ReturnType<typeof died> | null) {
  const { plan: made, ...rest } = isolateSuspects(
    storedRun({ running, deaths: new Map(Object.entries(deaths)) }),
    plan,
    after,
  );
  const apart = made.workstreams.filter(({ isolation }) => isolation === 'process').map(({ id }) => id);
  const alone = made.workstreams.filter(({ parallelOk }) => !parallelOk).map(({ id }) => id);
  return { ...rest, apart, alone };
}

test('what was running at a death is run alone in a process, and nothing else is', () => {
  const { apart, alone, crashed, notices } = judged(['a', 'b'], {}, died());
  expect([apart, alone, crashed.size]).toEqual([['a', 'b'], ['a', 'b'], 0]);
  expect(notices).toEqual([
    'The process of the run was ended by SIGSEGV while a, b were running: they are run again one at a time, each in a process of its own.',
  ]);
});

test('after a kill from outside nobody is suspected, but who was before still is', () => {
  expect(judged(['a'], {}, null)).toMatchObject({ apart: [], alone: [], notices: [] });
  expect(judged(['a'], { b: 1 }, null)).toMatchObject({ apart: ['b'], alone: ['b'], notices: [] });
});

test('a workstream that was running alone when the run died again is not run any more', () => {
  const { crashed, alone } = judged(['a'], { a: 1, b: 1 }, died(2));
  expect([...crashed.keys()]).toEqual(['a']);
  expect(crashed.get('a')).toMatchObject({ reason: 'process-crashed', signal: 'SIGSEGV' });
  expect(alone).toEqual(['b']);
});

test('after five deaths everything has a process of its own', () => {
  expect(judged([], {}, died(4)).apart).toEqual([]);
  const { apart, alone, notices } = judged([], {}, died(5));
  expect([apart, alone]).toEqual([['a', 'b', 'c'], []]);
  expect(notices.at(-1)).toContain('died 5 times');
});
