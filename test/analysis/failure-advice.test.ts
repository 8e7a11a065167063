import { expect, test } from 'vitest';
import { recommend } from '../../src/analysis/recommendations.ts';
import { failed, input, pattern, RUN, result, skipped, TOTALS, whole } from './advice-fixture.ts';

test('one cause behind many comes first, whatever the order of the patterns', () => {
  const patterns = whole(
    pattern('thrown', 'TypeError: x is `undefined`', ['ws-c']),
    pattern('exit-non-zero', '`npm ci` ended with exit code 1.', ['ws-a', 'ws-b']),
  );
  expect(recommend(input({ patterns, run: { totals: { ...TOTALS, completed: 7, failed: 3 } } }))).toEqual([
    `2 failures ended alike (exit-non-zero): "'npm ci' ended with exit code 1". Compare their outputs to find out whether they have one cause: \`millrace errors ${RUN}\`, then \`millrace run ws-a ws-b\`.`,
    `\`ws-c\` failed (thrown): "TypeError: x is 'undefined'". Look at its output with \`millrace errors ${RUN}\`, then \`millrace run ws-c\`.`,
  ]);
});

test('too many to name, or not all of them known: the command that runs all that failed so', () => {
  const ids = Array.from({ length: 11 }, (_, index) => `ws-${index}`);
  for (const many of [pattern('thrown', 'no', ids), pattern('thrown', 'no', ids.slice(0, 3), 40)]) {
    expect(recommend(input({ patterns: whole(many), run: { totals: { ...TOTALS, failed: 9 } } }))[0]).toBe(
      `${many.count} failures are one error (thrown): "no". Find its cause with \`millrace errors ${RUN}\`, then \`millrace run --retry-failed ${RUN} --pattern ${many.id}\`.`,
    );
  }
});

test('many single causes share a sentence', () => {
  const patterns = whole(...['a', 'b', 'c'].map((id) => pattern('thrown', id, [`ws-${id}`])));
  expect(recommend(input({ patterns, run: { totals: { ...TOTALS, failed: 3 } } }))).toEqual([
    `3 failures have a cause each (\`ws-a\`, \`ws-b\`, \`ws-c\`). Look at their output with \`millrace errors ${RUN}\`, then \`millrace run ws-a ws-b ws-c\`.`,
  ]);
});

test('definitions that can’t be used', () => {
  const failures = whole(
    failed('bad file', {
      reason: 'invalid-workstream',
      problems: ['workstreams/bad file.json:1:1: error: no'],
    }),
    failed('ws-b', { reason: 'cycle', path: ['ws-b', 'ws-b'] }),
  );
  const patterns = whole(pattern('invalid-workstream', 'no', ['bad file']), pattern('cycle', 'no', ['ws-b']));
  expect(recommend(input({ failures, patterns }))).toEqual([
    "2 workstreams can't run as defined (`bad file`, `ws-b`): `millrace validate` names each problem with its file and line.",
  ]);
});

test('a time limit, beside what the others needed', () => {
  const failures = whole(failed('ws-slow', { reason: 'timed-out', seconds: 60.5, step: 'fetch', tail: '' }));
  const patterns = whole(pattern('timed-out', 'no', ['ws-slow']));
  const timeline = whole(
    result('ws-a', { durationSeconds: 1 }),
    result('ws-b', { durationSeconds: 4.2 }),
    result('ws-c', { durationSeconds: 2 }),
    failures.shown[0] ?? result('ws-slow'),
  );
  expect(recommend(input({ failures, patterns, timeline }))).toEqual([
    `\`ws-slow\` ran out of time (Step fetch was still running after 60.5 s and was ended); the 3 that completed took 2s at the median and 4.2s at most. If more time is needed raise \`timeout_seconds\` and \`millrace run ws-slow\`; if it hangs, \`millrace errors ${RUN}\` shows the last output.`,
  ]);
  const [cut] = recommend(input({ failures, patterns, timeline: { ...timeline, total: 900 } }));
  expect(cut).toContain('; those that completed took 4.2s at most. If');
});

test('memory', () => {
  const failures = whole(
    failed('ws-a', { reason: 'out-of-memory', of: 'thread-heap', limitMb: 64 }),
    failed('ws-b', { reason: 'out-of-memory', of: 'thread-heap', limitMb: null }),
  );
  expect(
    recommend(input({ failures, patterns: whole(pattern('out-of-memory', 'no', ['ws-a', 'ws-b'])) })),
  ).toEqual([
    '`ws-a`, `ws-b` used up the memory that they may have: raise `--agent-memory`, or `memory_limit_mb` where that is set (both in MB), or read less at once, then `millrace run ws-a ws-b`.',
  ]);
});

test('what was skipped is traced to the workstream at its root', () => {
  const failures = whole(failed('ws-root', { reason: 'module-not-found', module: 'x.ts' }));
  const all = whole(skipped('ws-b', 'ws-a'), skipped('ws-a', 'ws-root'), skipped('ws-z', 'ws-y'));
  expect(recommend(input({ failures, skipped: all }))).toEqual([
    '2 workstreams were skipped because `ws-root` failed: fix it first, then `millrace run ws-root ws-b ws-a`.',
    '1 workstream was skipped because `ws-y` did not complete: it comes first, then `millrace run ws-y ws-z`.',
  ]);
  expect(recommend(input({ failures, skipped: { shown: all.shown.slice(0, 2), total: 70 } }))[0]).toMatch(
    /^At least 2 workstreams were skipped because `ws-root` failed/,
  );
});

test('of rows that do not hold the failure less is said', () => {
  const late = {
    ...failed('ws-slow', { reason: 'timed-out', seconds: 60, step: null, tail: '' }),
    failure: null,
  };
  const waits = { ...skipped('ws-b', 'ws-slow'), failure: null };
  expect(recommend(input({ failures: whole(late), skipped: whole(waits) }))).toEqual([
    `\`ws-slow\` ran out of time. If more time is needed raise \`timeout_seconds\` and \`millrace run ws-slow\`; if it hangs, \`millrace errors ${RUN}\` shows the last output.`,
  ]);
});

test('an interrupted run says first how to go on', () => {
  const all = whole(failed('ws-a', { reason: 'interrupted', detail: 'SIGINT' }, 'skipped'));
  const patterns = whole(pattern('thrown', 'no', ['ws-b']));
  const run = { state: 'interrupted' as const, totals: { ...TOTALS, completed: 8, failed: 1, skipped: 1 } };
  const [first, second] = recommend(input({ skipped: all, patterns, run }));
  expect(first).toBe(
    '1 workstream did not run to the end because the run was interrupted: `millrace run --resume ma-run-20260714-093000` runs what is left of it.',
  );
  expect(second).toMatch(/^`ws-b` failed/);
  const dead = { state: 'interrupted' as const, totals: { ...TOTALS, completed: 4 } };
  expect(recommend(input({ run: dead }))).toEqual([
    `6 workstreams did not run to the end because the run was interrupted: \`millrace run --resume ${RUN}\` runs what is left of it.`,
  ]);
});

test('at most 8, and none of a kind pushes out the first of another', () => {
  const patterns = whole(
    ...Array.from({ length: 12 }, (_, index) =>
      pattern('thrown', `e${index}`, [`ws-${index}`, `ws-x${index}`]),
    ),
  );
  const failures = whole(failed('ws-m', { reason: 'out-of-memory', of: 'thread-heap', limitMb: 64 }));
  const manualChecks = whole({ workstreamId: 'ws-m', name: 'look', detail: '' });
  const sentences = recommend(input({ patterns, failures, manualChecks }));
  expect(sentences.map((sentence) => sentence.slice(0, 20))).toEqual([
    ...Array.from({ length: 6 }, () => '2 failures are one e'),
    '`ws-m` used up the m',
    '1 check is left for ',
  ]);
});
