import { expect, test } from 'vitest';
import type { ShortResult } from '../../src/domain/run-record.ts';
import { githubAnnotations, githubSummary } from '../../src/report/github.ts';
import { because, emptyResult, RUN_ID, shortResult, whole } from '../kit/consolidated-result.ts';
import { tableRows } from '../kit/table-cells.ts';
import { exampleResult } from './example-result.ts';

const failure = (workstreamId: string, explanation: string | null) =>
  shortResult({ workstreamId, status: 'failed', reason: 'thrown', explanation });

test('the summary says the verdict, the totals, the failures and the next step', () => {
  const result = exampleResult();
  const summary = githubSummary(result);
  expect(summary).toMatch(
    /^## Millrace `ma-run-20260714-093000`\n\n2 of 6 workstreams failed and 1 was skipped; start with `ws-codec` \(thrown\)\.\n\n\|/,
  );
  expect(tableRows(summary).map((rows) => rows.filter((_, index) => index !== 1))).toEqual([
    [
      ['Completed', 'Failed', 'Skipped', 'Wall time', 'Work in all'],
      ['3', '2', '1', '9.4s', '17.2s'],
    ],
    [
      ['Failed', 'Reason', 'What happened'],
      ['`ws-lint`', 'exit-non-zero', '`npm run lint \\| tee lint.txt` ended with exit code 2.'],
      ['`ws-codec`', 'thrown', 'RangeError: Invalid \\| typed array length: -1'],
    ],
  ]);
  expect(summary).toContain('\n**Next**: `ws-codec` failed');
});

test('the summary lists 20 failures and counts the rest', () => {
  const shown = Array.from({ length: 30 }, (_, index) => failure(`ws-${index}`, 'no'));
  const summary = githubSummary(emptyResult({ failures: { shown, total: 70 } }));
  expect(tableRows(summary)[1]?.length).toBe(2 + 20);
  expect(summary).toContain(`and 50 more failures: \`millrace errors ${RUN_ID}\`.\n`);
});

test('a failure is one command on one line, with what the runner would misread escaped', () => {
  const failures = whole(failure('ws-a', 'Error: 100 %\r\n::set-output name=x::y, z\u001b[31m'));
  expect(githubAnnotations(emptyResult({ failures }))).toEqual([
    '::error title=ws-a failed (thrown)::Error: 100 %25%0A\\u{3a}:set-output name=x::y, z',
  ]);
  const odd = whole(failure('a:b,c\n%', null));
  expect(githubAnnotations(emptyResult({ failures: odd }))).toEqual([
    '::error title=a%3Ab%2Cc%0A%25 failed (thrown)::thrown',
  ]);
});

test('an invalid definition is annotated in its file', () => {
  const problem = 'workstreams/a.json:3:7: error: steps[0]: unknown step';
  const place = { file: 'workstreams/a.json', line: 3, column: 7 };
  const invalid = because({ reason: 'invalid-workstream', problems: [problem], place });
  const annotated = (given: Partial<ShortResult>) =>
    githubAnnotations(
      emptyResult({ failures: whole(shortResult({ workstreamId: 'a', status: 'failed', ...given })) }),
    );
  expect(annotated(invalid)).toEqual([
    `::error file=workstreams/a.json,line=3,col=7,title=a failed (invalid-workstream)::${problem}`,
  ]);
  const older = [`::error title=a failed (invalid-workstream)::${problem}`];
  expect(annotated({ ...invalid, failure: null })).toEqual(older);
});

test('as many annotations as GitHub shows, the last one for the rest', () => {
  const shown = Array.from({ length: 30 }, (_, index) => failure(`ws-${index}`, 'no'));
  const ten = githubAnnotations(emptyResult({ failures: whole(...shown.slice(0, 10)) }));
  expect(ten.at(-1)).toBe('::error title=ws-9 failed (thrown)::no');
  const many = githubAnnotations(emptyResult({ failures: { shown, total: 70 } }));
  expect(many.length).toBe(10);
  expect(many.at(-1)).toBe(
    `::error title=More workstreams failed::61 more failures: millrace errors ${RUN_ID}`,
  );
  expect(githubAnnotations(emptyResult())).toEqual([]);
});
