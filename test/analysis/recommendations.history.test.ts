/** What is recommended because of earlier runs. */
import { describe, expect, test } from 'vitest';
import { recommend } from '../../src/analysis/recommendations.ts';
import type {
  Change,
  DurationShift,
  PatternHistory,
  RunComparison,
  RunRef,
} from '../../src/domain/history/history.ts';
import type { ErrorPattern } from '../../src/domain/history/pattern.ts';
import { failed, input, pattern, RUN, whole } from './advice-fixture.ts';

const BEFORE = 'ma-run-20260713-093000';

const ref = (runId: string, commit: string | null = null): RunRef => ({
  runId,
  at: '2026-07-13T09:30:00.000Z',
  label: null,
  commit,
  isDirty: false,
});

const history = (fields: Partial<PatternHistory>): PatternHistory => ({
  state: 'new',
  firstSeen: ref(RUN),
  lastSeen: ref(RUN),
  lastPassed: ref(BEFORE),
  commitRange: null,
  rate: null,
  ...fields,
});

function comparison(fields: Partial<RunComparison>): RunComparison {
  const lists = {
    new: whole<Change>(),
    regressed: whole<Change>(),
    recurring: whole<Change>(),
    fixed: whole<Change>(),
    flaky: whole<Change>(),
    notRun: whole<string>(),
    added: whole<string>(),
    removed: whole<string>(),
    changedDefinition: whole<string>(),
    outside: whole<RunComparison['outside']['shown'][number]>(),
    shifts: whole<DurationShift>(),
  };
  return { base: ref(BEFORE), head: ref(RUN), ...lists, wholeRun: null, ...fields };
}

/** A pattern of these workstreams with its history. */
const known = (message: string, ids: string[], fields: Partial<PatternHistory>): ErrorPattern => ({
  ...pattern('thrown', message, ids),
  id: `p-${message}`,
  history: history(fields),
});

const advise = (...patterns: ErrorPattern[]): string[] => recommend(input({ patterns: whole(...patterns) }));

const OLD = { state: 'recurring', firstSeen: ref(BEFORE) } as const;

describe('a failure', () => {
  test('that is new comes before one that had been fixed, and that before what is known', () => {
    const sentences = advise(
      known('old', ['ws-a', 'ws-b', 'ws-c'], OLD),
      known('back', ['ws-d', 'ws-e'], { state: 'regressed' }),
      known('never seen', ['ws-f'], {}),
    );
    expect(sentences).toEqual([
      `\`ws-f\` failed with a new error (thrown): "never seen". Look at its output with \`millrace errors ${RUN}\`, then \`millrace run ws-f\`.`,
      `2 failures are one error (thrown), which had been fixed: "back". Find its cause with \`millrace errors ${RUN}\`, then \`millrace run ws-d ws-e\`.`,
      `3 failures are one error (thrown), first seen in ${BEFORE}: "old". Find its cause with \`millrace errors ${RUN}\`, then \`millrace run ws-a ws-b ws-c\`.`,
    ]);
  });

  test('that began between two commits names what to look through', () => {
    const commitRange = { from: 'a'.repeat(40), to: 'b'.repeat(40) };
    expect(advise(known('broke', ['ws-a', 'ws-b'], { commitRange }))).toEqual([
      `2 failures are one new error (thrown): "broke". Find its cause with \`millrace errors ${RUN}\`, then \`millrace run ws-a ws-b\`. What changed since it passed: \`git log --oneline aaaaaaaaaaaa..bbbbbbbbbbbb\`.`,
    ]);
  });

  test('whose stored commit is none gets no command from it', () => {
    const commitRange = { from: '$(rm -rf ~)', to: 'b'.repeat(40) };
    expect(advise(known('broke', ['ws-a'], { commitRange }))[0]).not.toContain('git log');
  });

  test('that is flaky is called so, with how often and what helps', () => {
    const rate = { value: 0.2, low: 0.11, high: 0.33, runs: 50 };
    expect(advise(known('now and then', ['ws-a'], { state: 'flaky', rate }))).toEqual([
      `\`ws-a\` is flaky and failed so in 20.0 % of 50 runs (95 % interval 11.0 % to 33.0 %): "now and then". \`millrace run --retry-failed ${RUN}\` tries again what failed, \`max_attempts\` in \`circuit_breaker\` does so in every run, and \`millrace flaky\` tells how often that is so.`,
    ]);
  });

  test('that is flaky comes after what is broken, and all of them share a sentence', () => {
    const sentences = advise(
      known('a', ['ws-a', 'ws-b'], { state: 'flaky' }),
      known('b', ['ws-c'], { state: 'flaky' }),
      known('old', ['ws-d'], OLD),
    );
    expect(sentences.map((sentence) => sentence.slice(0, 39))).toEqual([
      '`ws-d` failed (thrown), first seen in m',
      '3 failures are flaky (`ws-a`, `ws-b`, `',
    ]);
  });

  test('of many new ones with a cause each shares a sentence with them', () => {
    const all = ['a', 'b', 'c'].map((id) => known(id, [`ws-${id}`], {}));
    expect(advise(...all)).toEqual([
      `3 new failures have a cause each (\`ws-a\`, \`ws-b\`, \`ws-c\`). Look at their output with \`millrace errors ${RUN}\`, then \`millrace run ws-a ws-b ws-c\`.`,
    ]);
  });

  test('has its state from the comparison where the pattern has none', () => {
    const own = { ...pattern('thrown', 'x', ['ws-a']), id: 'p-1' };
    const change: Change = { workstreamId: 'ws-a', patternId: 'p-1', history: history({}) };
    const other: Change = { workstreamId: 'ws-b', patternId: 'p-2', history: history(OLD) };
    const changes = comparison({ new: whole(change), recurring: whole(other) });
    expect(recommend(input({ patterns: whole(own), comparison: changes }))[0]).toMatch(
      /^`ws-a` failed with a new error/,
    );
  });
});

describe('durations', () => {
  const shift = (workstreamId: string | null, ratio: number): DurationShift => ({
    workstreamId,
    beforeSeconds: 2,
    afterSeconds: 2 * ratio,
    ratio,
    p: 1e-6,
    since: ref(BEFORE),
    runs: 35,
  });

  test('that became longer are told with the command that shows them', () => {
    const shifts = whole(shift('ws-a', 1.2), shift('ws-b', 0.5), shift('ws-c', 2));
    expect(recommend(input({ comparison: comparison({ shifts }) }))).toEqual([
      `\`ws-c\` takes 2.00 times as long as before (4s instead of 2s, by 35 runs) since ${BEFORE}: \`millrace trends ws-c\` shows its course. 1 more workstream became slower too.`,
    ]);
  });

  test('of the run as a whole are told as such', () => {
    expect(recommend(input({ comparison: comparison({ wholeRun: shift(null, 1.1) }) }))).toEqual([
      `The run as a whole takes 1.10 times as long as before (2.2s instead of 2s, by 35 runs) on this machine since ${BEFORE}: \`millrace trends\` shows its course.`,
    ]);
  });

  test('that became shorter are nothing to do', () => {
    const faster = comparison({ wholeRun: shift(null, 0.5), shifts: whole(shift('ws-a', 0.5)) });
    expect(recommend(input({ comparison: faster }))[0]).toMatch(/^Everything completed/);
  });
});

test('workstreams that passed only when tried again are named, those that failed elsewhere are not', () => {
  const flaky = (workstreamId: string, lastSeen: RunRef): Change => {
    return { workstreamId, patternId: 'p-1', history: history({ state: 'flaky', lastSeen }) };
  };
  const changes = comparison({
    flaky: whole(flaky('ws-a', ref(RUN)), flaky('ws-b', ref(BEFORE)), flaky('ws-c', ref(RUN))),
  });
  const failures = whole(failed('ws-c', { reason: 'interrupted', detail: 'SIGINT' }));
  expect(recommend(input({ comparison: changes, failures }))).toEqual([
    '1 workstream passed only when tried again (`ws-a`): `millrace flaky` tells how often that is so.',
  ]);
});
