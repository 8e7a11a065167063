import { expect, test } from 'vitest';
import type { ShortResult } from '../../src/domain/run-record.ts';
import { githubAnnotations, githubSummary } from '../../src/report/github.ts';
import {
  because,
  emptyResult,
  errorPattern,
  RUN_ID,
  shortResult,
  whole,
} from '../kit/consolidated-result.ts';
import { tableRows } from '../kit/table-cells.ts';
import { exampleResult } from './example-result.ts';

const failure = (workstreamId: string, message: string) =>
  errorPattern({ example: { workstreamId, message } });

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
      ['`ws-codec`', 'thrown', 'RangeError: Invalid \\| typed array length: -1'],
      [
        '`ws-lint`',
        'exit-non-zero',
        '`npm run lint \\| tee lint.txt` ended with exit code 2. src/a.ts:3:1 error Use "\\`\\`\\`" \\<b>never\\</b>',
      ],
    ],
  ]);
  expect(summary).toContain('\n**Next**: `ws-codec` failed');
});

test('the summary lists 20 patterns and counts the rest', () => {
  const shown = Array.from({ length: 30 }, (_, index) => failure(`ws-${index}`, 'no'));
  const summary = githubSummary(emptyResult({ patterns: { shown, total: 70 } }));
  expect(tableRows(summary)[1]?.length).toBe(2 + 20);
  expect(summary).toContain(`and 50 more patterns: \`millrace errors ${RUN_ID}\`.\n`);
});

test('a pattern is one command on one line, with what the runner would misread escaped', () => {
  const patterns = whole(failure('ws-a', 'Error: 100 %\r\n::set-output name=x::y, z\u001b[31m'));
  expect(githubAnnotations(emptyResult({ patterns }))).toEqual([
    '::error title=ws-a failed (thrown)::Error: 100 %25%0A\\u{3a}:set-output name=x::y, z',
  ]);
  const odd = whole(failure('a:b,c\n%', ''));
  expect(githubAnnotations(emptyResult({ patterns: odd }))).toEqual([
    '::error title=a%3Ab%2Cc%0A%25 failed (thrown)::thrown',
  ]);
});

test('an invalid definition is annotated in its file', () => {
  const problem = 'workstreams/a.json:3:7: error: steps[0]: unknown step';
  const place = { file: 'workstreams/a.json', line: 3, column: 7 };
  const invalid = because({ reason: 'invalid-workstream', problems: [problem], place });
  const annotated = (given: Partial<ShortResult>) =>
    githubAnnotations(
      emptyResult({
        failures: whole(shortResult({ workstreamId: 'a', status: 'failed', ...given })),
        patterns: whole(
          errorPattern({ type: 'invalid-workstream', example: { workstreamId: 'a', message: problem } }),
        ),
      }),
    );
  expect(annotated(invalid)).toEqual([
    `::error file=workstreams/a.json,line=3,col=7,title=a failed (invalid-workstream)::${problem}`,
  ]);
  const older = [`::error title=a failed (invalid-workstream)::${problem}`];
  expect(annotated({ ...invalid, failure: null })).toEqual(older);
});

test('failures of one pattern are one annotation: what tells, three of them, and what shows more', () => {
  const many = errorPattern({
    telling: 'Error: no',
    count: 47,
    workstreams: ['ws-1', 'ws-2', 'ws-3', 'ws-4'],
  });
  expect(githubAnnotations(emptyResult({ patterns: whole(many) }))).toEqual([
    '::error title=47 workstreams failed (thrown)::Error: no%0Ain ws-1, ws-2, ws-3 and 44 more%0Amillrace errors --history p-1a2b3c4d',
  ]);
  expect(tableRows(githubSummary(emptyResult({ patterns: whole(many) })))[1]?.at(-1)).toEqual([
    '`ws-1`, `ws-2`, `ws-3` and 44 more',
    'thrown',
    'Error: no',
  ]);
});

test('as many annotations as GitHub shows, the last one for the rest', () => {
  const shown = Array.from({ length: 30 }, (_, index) => failure(`ws-${index}`, 'no'));
  const ten = githubAnnotations(emptyResult({ patterns: whole(...shown.slice(0, 10)) }));
  expect(ten.at(-1)).toBe('::error title=ws-9 failed (thrown)::no');
  const many = githubAnnotations(emptyResult({ patterns: { shown, total: 70 } }));
  expect(many.length).toBe(10);
  expect(many.at(-1)).toBe(
    `::error title=More workstreams failed::61 more patterns: millrace errors ${RUN_ID}`,
  );
  expect(githubAnnotations(emptyResult())).toEqual([]);
});
