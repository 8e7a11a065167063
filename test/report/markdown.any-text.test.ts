/** Whatever text a workstream gives: the report's headings, tables and fences stay as they are. */
import * as fc from 'fast-check';
import type { Nodes } from 'mdast';
import { fromMarkdown } from 'mdast-util-from-markdown';
import { describe, expect, test } from 'vitest';
import type { PatternHistory } from '../../src/domain/history/history.ts';
import type { ConsolidatedResult, WorkstreamOutput } from '../../src/domain/run-record.ts';
import { excerpt } from '../../src/report/cells.ts';
import { documentHead } from '../../src/report/document.ts';
import { markdownReport } from '../../src/report/markdown.ts';
import {
  type Block,
  code,
  fence,
  glue,
  heading,
  list,
  paragraph,
  prose,
  strong,
  table,
  text,
} from '../../src/report/nodes.ts';
import { serialise } from '../../src/report/serialise.ts';
import { anyText } from '../kit/any-text.ts';
import {
  COMPLETED_OUTPUT,
  shortResult,
  tool,
  toolTask,
  unknownChange,
  whole,
} from '../kit/consolidated-result.ts';
import { resultsOf } from '../kit/results-of.ts';
import { columnCounts, tableRows } from '../kit/table-cells.ts';
import { comparison, exampleResult } from './example-result.ts';

/** The example's result with `text` in every place that a workstream has a say in. */
function withText(text: string): ConsolidatedResult {
  const result = exampleResult();
  const item = shortResult({
    workstreamId: text,
    title: text,
    agentId: text,
    status: 'failed',
    reason: text,
    explanation: text,
    logFile: text,
  });
  const example = {
    workstreamId: text,
    agentId: text,
    message: text,
    stack: text,
    tail: text,
    logFile: text,
  };
  const output = { value: 's', [`${text}k`]: 'v', rows: [{ [`${text}c`]: text, n: 1 }], long: `a\n${text}b` };
  const outputs: WorkstreamOutput[] = [
    {
      workstreamId: text,
      title: text,
      status: 'failed',
      reason: text,
      explanation: text,
      tool: text,
      tests: { passed: 0, failed: 1 },
      output,
      metrics: { [text]: 1 },
    },
    ...[1, 2].map((n) => ({
      ...COMPLETED_OUTPUT,
      workstreamId: text,
      title: text,
      output: { [`${text}a`]: n, of: text.slice(0, 20).replaceAll('\n', ' ') },
      metrics: { [`${text}b`]: n },
    })),
  ];
  return {
    ...result,
    run: { ...result.run, recommendations: [text, text] },
    patterns: whole({
      id: 'p-00000001',
      type: text,
      pattern: text,
      telling: text,
      count: 2,
      workstreams: [text, text],
      values: [{ hole: 0, distinct: 2, shown: [{ text, count: 1 }] }],
      places: [{ place: text, count: 2 }],
      example,
      history: null,
      goesWith: [],
    }),
    failures: whole(item),
    skipped: whole(item),
    timeline: whole(item),
    warnings: whole({ workstreamId: text, text }),
    failedTests: whole({ workstreamId: text, name: text, detail: text }),
    failedCases: whole({ workstreamId: text, acceptanceTest: text, suite: text, name: text, message: text }),
    manualChecks: whole({ workstreamId: text, name: text, detail: text }),
    tools: [tool({ tool: text, model: text })],
    tasks: whole(
      toolTask({ workstreamId: text, title: text, tool: text, model: text, branch: text }),
      toolTask({ workstreamId: text, title: text, tool: text, status: 'failed', reason: text }),
    ),
    competitions: whole({
      workstreamId: text,
      candidates: [
        {
          tool: text,
          agentId: null,
          attempt: 1,
          chosen: false,
          completed: false,
          accepted: false,
          testsPassed: 0,
          costUsd: 1,
          durationSeconds: 1,
          changedLines: 1,
          reason: text,
          commit: text,
          logFile: text,
        },
      ],
    }),
    retried: whole({
      workstreamId: text,
      status: 'failed',
      attempts: 2,
      reasons: [text, text],
      gaveUp: text,
    }),
    merges: {
      branch: text,
      merged: 1,
      mergeable: 0,
      tested: true,
      caveat: '',
      failing: 0,
      outside: whole(),
      problems: whole({
        workstreamId: text,
        status: 'conflict',
        partner: null,
        failingTest: null,
        logFile: null,
        branch: text,
        conflictsWith: [text],
        files: [text],
        detail: text,
      }),
    },
    files: whole({ path: text, workstreams: [text, text], ...unknownChange }),
    commits: whole({ workstreamId: text, commit: text }),
    outputs: whole(...outputs),
    results: resultsOf(outputs),
    series: whole({ workstreamId: text, name: text, points: [[0, 1]], total: 1 }),
    database: text,
  };
}

/** The report of this run, compared with one before it that has `text` wherever a person or a workstream has a say. */
function hostileReport(result: ConsolidatedResult, text = result.run.recommendations[0] ?? ''): string {
  const compared = comparison();
  const ref = { ...compared.base, runId: text, label: text, commit: text, isDirty: true };
  const [change] = compared.regressed.shown;
  const [shift] = compared.shifts.shown;
  const [outside] = compared.outside.shown;
  if (change === undefined || shift === undefined || outside === undefined) throw new Error('not compared');
  const history: PatternHistory = {
    ...change.history,
    firstSeen: ref,
    lastPassed: ref,
    commitRange: { from: text, to: text },
  };
  const changes = whole({ workstreamId: text, patternId: text, history });
  const names = whole(text, text);
  const head = documentHead(result, {
    base: ref,
    head: ref,
    new: changes,
    regressed: changes,
    recurring: changes,
    fixed: changes,
    flaky: changes,
    notRun: names,
    added: names,
    removed: names,
    changedDefinition: names,
    outside: whole({ ...outside, workstreamId: text }),
    shifts: whole({ ...shift, workstreamId: text, since: ref }),
    wholeRun: { ...shift, workstreamId: null, since: ref },
  });
  return markdownReport({ ...head, errors: head.errors.map((error) => ({ ...error, history })) });
}

function walk(node: Nodes, see: (node: Nodes) => void): void {
  see(node);
  if ('children' in node) for (const child of node.children) walk(child, see);
}

/** What opens and closes the parts that a reader unfolds: no text of a workstream is in it. */
const OUR_HTML = /^(?:<details>\n<summary>[\w ,()]+<\/summary>|<\/details>)$/;

/** The kinds of the blocks in order, and the number of nodes that text must never become. */
function shape(markdown: string): { blocks: string[]; foreign: string[] } {
  const tree = fromMarkdown(markdown);
  const foreign: string[] = [];
  walk(tree, (node) => {
    const { type } = node;
    if (type === 'html' && OUR_HTML.test(node.value)) return;
    if (
      !['root', 'heading', 'paragraph', 'text', 'strong', 'inlineCode', 'list', 'listItem', 'code'].includes(
        type,
      )
    ) {
      foreign.push(type);
    }
  });
  return { blocks: tree.children.map(({ type }) => type), foreign };
}

const plain = hostileReport(withText('plain'));
const plainShape = shape(plain);
const plainColumns = columnCounts(plain);

const CASES = {
  pipes: 'a|b||c|',
  'escaped pipes': String.raw`a\|b\\|c\\\|`,
  backticks: '`a` ``b`` ```c```',
  'backticks that code needs four to hold': 'a`b``c```d',
  html: '<script>alert(1)</script> <!-- x --> <img src=x onerror=alert(1)>',
  links: '[a](javascript:alert(1)) ![b](http://evil.example/b.png) <http://evil.example>',
  'bare addresses': 'see http://evil.example/x|y or www.evil.example or eve@evil.example now',
  newlines: 'a\n# b\r\n\r\n- c\n\n```\nd\n\n| e |\n| - |\n',
  terminal: '\u001b[31mred\u001b[0m \u001b]8;;http://evil.example\u0007link\u001b]8;;\u0007 \u0000 \u009b2J',
  directions: 'abc\u202egnp.exe \u2066x\u2069 \u200f',
  'lone surrogates': 'a\ud800b\udc00c',
  emphasis: '**a** *b* __c__ _d_ ~~e~~ $f$',
  entities: '&lt;b&gt; &#124; &amp;amp;',
  'ten megabytes on a line': '|<b>`x`'.repeat(1_500_000),
  'nothing at all': '',
};

describe('one by one', () => {
  test.each(Object.entries(CASES))('%s', (_, text) => {
    const markdown = hostileReport(withText(`x${text}x`));
    expect(shape(markdown)).toEqual({ ...plainShape, foreign: [] });
    expect(columnCounts(markdown)).toEqual(plainColumns);
    // oxlint-disable-next-line no-control-regex
    expect(markdown).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
    expect(Buffer.from(markdown).toString()).toBe(markdown);
    expect(Buffer.byteLength(markdown)).toBeLessThan(80_000);
  });
});

test('any text', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const markdown = hostileReport(withText(`x${text}x`));
      expect(shape(markdown)).toEqual({ ...plainShape, foreign: [] });
      expect(columnCounts(markdown)).toEqual(plainColumns);
    }),
    { numRuns: 60 },
  );
});

test('any text with nothing around it', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const markdown = hostileReport(withText(text));
      expect(shape(markdown).foreign).toEqual([]);
      expect(columnCounts(markdown)).toEqual(plainColumns);
    }),
    { numRuns: 60 },
  );
});

/** A report in small: every kind of block, with `value` in every place. */
function blocks(value: string): Block[] {
  return [
    heading(3, text(value), glue(' '), code(value)),
    paragraph(code(value)),
    paragraph(strong(value), ': ', ...prose(value)),
    paragraph(text(value), glue(': '), code(value), '.'),
    list(false, [[text(value), glue(': '), code(value)], prose(value)]),
    table(
      ['A', value, 'C'],
      [
        [value, [code(value)], prose(value, 300)],
        [[code(value), glue(' '), text(value)], [strong(value)], null],
      ],
    ),
    fence('text', excerpt(value, 2000, 'start')),
  ];
}

test('any text in any block', () => {
  const expected = shape(serialise(blocks('plain'))).blocks;
  fc.assert(
    fc.property(anyText, (value) => {
      const markdown = serialise(blocks(value));
      expect(shape(markdown)).toEqual({ blocks: expected, foreign: [] });
      expect(columnCounts(markdown)).toEqual({ github: ['3 3 3 3'], others: ['3 3 3 3'] });
    }),
    { numRuns: Number(process.env['MILLRACE_TEST_CASES'] ?? 300) },
  );
});

test('in a cell, the text is still what it was', () => {
  const markdown = hostileReport(withText('a|b <i> `c|d`'));
  expect(markdown).toContain('a\\|b \\<i> `c\\|d`');
  expect(
    tableRows(markdown)
      .flat()
      .find(([first]) => first === '`` a\\|b <i> `c\\|d` ``'),
  ).toBeDefined();
});

test('a fence is longer than any in its content', () => {
  const markdown = hostileReport(withText('x\n`````\ny'));
  expect(markdown).toContain('\n``````text\nx\n`````\ny\n``````\n');
});

test('a bare address is code and no link', () => {
  const markdown = hostileReport(withText('see http://e.com/a_b?c=d, www.e.com and a@b.co!'));
  expect(markdown).toContain('see `http://e.com/a_b?c=d,` `www.e.com` and `a@b.co`!');
});
