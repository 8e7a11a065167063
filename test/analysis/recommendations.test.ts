import { describe, expect, test } from 'vitest';
import { recommend } from '../../src/analysis/recommendations.ts';
import { agent, failed, input, pattern, RUN, skipped, summary, TOTALS, whole } from './advice-fixture.ts';

describe('nothing to say', () => {
  const sentence = `Everything completed: \`millrace show ${RUN}\` lists the results, and the outputs are in the report and in the table agent_results.`;

  test('everything fine: exactly one sentence', () => {
    expect(recommend(input())).toEqual([sentence]);
    const agents = [agent('agent-1', 10), agent('agent-2', 10), agent('agent-3', 10)];
    const busy = summary({}, { cores: 3 });
    expect(recommend(input({ agents, run: { executionSummary: busy } }))).toEqual([sentence]);
  });

  test('no workstreams', () => {
    const totals = { ...TOTALS, workstreams: 0, completed: 0 };
    expect(recommend(input({ run: { totals } }))).toEqual([
      'There were no workstreams: `millrace init` makes a first folder that runs.',
    ]);
  });

  test('a run under way', () => {
    expect(recommend(input({ run: { state: 'running' } }))).toEqual([]);
  });

  test('something did not complete, and nothing more is known', () => {
    const results = whole(failed('ws-a', { reason: 'skipped-by-user' }, 'skipped'));
    expect(recommend(input({ skipped: results }))).toEqual([
      `1 workstream did not complete: \`millrace show ${RUN}\` lists the reason of each.`,
    ]);
  });
});

const check = (name: string) => ({ workstreamId: 'ws-a', name, detail: '' });

test('manual checks that are left', () => {
  expect(recommend(input({ manualChecks: whole(check('It `looks` right')) }))).toEqual([
    '1 check is left for a person: "It \'looks\' right" (`ws-a`).',
  ]);
  expect(recommend(input({ manualChecks: { shown: [check('a')], total: 30 } }))).toEqual([
    `30 checks are left for a person, the first "a": \`millrace report ${RUN} --format md\` lists them.`,
  ]);
});

test('every command that is named exists', () => {
  const patterns = whole(pattern('thrown', 'a', ['ws-a', 'ws-b']), pattern('thrown', 'b', ['ws-c']));
  const failures = whole(
    failed('ws-t', { reason: 'timed-out', seconds: 1, step: null, tail: '' }),
    failed('ws-i', { reason: 'duplicate-id', id: 'ws-i', places: [] }),
  );
  const text = recommend(input({ patterns, failures, skipped: whole(skipped('ws-s', 'ws-t')) })).join('\n');
  const commands = [...text.matchAll(/`millrace (\w+)([^`]*)`/g)].map((match) => match[1]);
  expect(new Set(commands)).toEqual(new Set(['errors', 'run', 'validate']));
  expect(text).not.toMatch(/--resume|--retry-failed/);
});
