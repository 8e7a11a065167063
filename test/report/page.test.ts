import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { AgentResult } from '../../src/domain/agent-result.ts';
import type { DocumentSource } from '../../src/report/document.ts';
import { htmlPage } from '../../src/report/page.ts';
import { completedResult } from '../kit/completed-result.ts';
import { documentIn, partIn, withoutDocument } from '../kit/page.ts';
import { seededRandom } from '../kit/random.ts';
import { documentOf, exampleHead } from './example-result.ts';

const FOLDER = '/home/ada/reports';
const RUN_ID = exampleHead().run.runId;

const pageOf = (results: AgentResult[]): string => htmlPage(sourceOf(results), FOLDER);

/** A run that has these results and no other. */
function sourceOf(results: AgentResult[]): DocumentSource {
  const source = documentOf(results);
  const { run } = source.head;
  const totals = {
    ...run.totals,
    workstreams: results.length,
    completed: results.length,
    failed: 0,
    skipped: 0,
  };
  return { ...source, head: { ...source.head, run: { ...run, totals } } };
}

const only = (result: AgentResult) => documentIn(pageOf([result])).workstreams[0];

describe('the file', () => {
  const html = pageOf([completedResult('ws-1', {})]);

  test('allows its own script and style by their hashes, and nothing else', () => {
    const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
    const [, policy] = /content="(default-src [^"]*)"/.exec(html) ?? [];
    expect(policy?.split('; ')).toEqual([
      "default-src 'none'",
      `script-src ${hash(partIn(html, 'script'))}`,
      `style-src ${hash(partIn(html, 'style'))}`,
      "base-uri 'none'",
      "form-action 'none'",
    ]);
  });

  test('names nothing that a browser would load', () => {
    const own = withoutDocument(html).replace(partIn(html, 'script'), '').replace(partIn(html, 'style'), '');
    expect(own).not.toMatch(/\b(?:src|href|srcset|action|style|on\w+)=/);
    expect(partIn(html, 'style')).not.toMatch(/url\(|@import/);
  });

  test('says where the report is where scripts are off', () => {
    expect(partIn(html, 'noscript')).toContain(`multi_agent_consolidated_${RUN_ID}.md`);
  });

  test('has no text of a workstream outside of its document', () => {
    const evil = '</template></script><script>alert(1)</script>';
    const hostile = pageOf([
      completedResult(evil, { agentId: evil, metadata: { title: evil, output: evil } }),
    ]);
    expect(withoutDocument(hostile)).toBe(withoutDocument(html));
  });
});

describe('a workstream', () => {
  test('is whole again when it is read', () => {
    const result = completedResult('ws-1', {
      logFile: `/home/ada/.state/logs/${RUN_ID}/ws 1.log`,
      metadata: { kind: 'codec', output: { ratio: 0.5 }, metrics: { bytes: 12 } },
    });
    expect(only(result)).toMatchObject({
      id: 'ws-1',
      title: 'Title of ws-1',
      kind: 'codec',
      status: 'completed',
      start: '2026-01-02T03:04:06.000Z',
      seconds: 1,
      attemptCount: 1,
      dependsOn: [],
      log: `../.state/logs/${RUN_ID}/ws%201.log`,
      output: { ratio: 0.5 },
      metrics: { bytes: 12 },
      tail: null,
    });
  });

  test.each([
    ['of another run', '/home/ada/.state/logs/ma-run-20200101-000000/ws-1.log'],
    ['of the system', '/etc/passwd'],
    ['behind a way up', `/home/ada/.state/logs/${RUN_ID}/../../x`],
    ['with a script as address', 'javascript:alert(1)'],
  ])('has no link to a file %s', (_, logFile) => {
    expect(only(completedResult('ws-1', { logFile }))).toMatchObject({ log: null });
  });

  test('has no characters that change how others are shown', () => {
    const title = 'a\u202eb\u0000\u001b[31mc';
    expect(only(completedResult('ws-1', { metadata: { title } }))?.title).toBe('a\\u{202e}b\\u{0}c');
  });
});

describe('a result that was read short', () => {
  const pageOfText = (workstream: object): string => {
    const source = {
      ...sourceOf([]),
      pageResults: () => ({ results: [JSON.stringify(workstream)], aggregates: null }),
    };
    return htmlPage(source, FOLDER);
  };

  test('is whole again when it is read', () => {
    const told = { id: 'ws-1', file: 'f.json', agentId: 'agent-1', seconds: 1.5, dependsOn: ['ws-0'] };
    expect(documentIn(pageOfText(told)).workstreams).toEqual([
      expect.objectContaining({ ...told, title: 'ws-1', status: 'completed', tail: null }),
    ]);
  });

  test.each([
    ['characters that change how others are shown', 'a\u202eb\u001b[31mc', 'a\\u{202e}bc'],
    ['a quote and a backslash', 'a"b\\c', 'a"b\\c'],
    ['a line break', 'a\nb', 'a b'],
    ['spaces around it', ' a  b ', 'a b'],
    ['a command for a CI server', '::error::x', '\\u{3a}:error::x'],
    ['another one', '##[group]x', '\\u{23}#[group]x'],
    ['more characters than are shown', 'x'.repeat(700), `${'x'.repeat(599)}…`],
  ])('has each text with %s as it may be shown', (_, text, shown) => {
    const { workstreams } = documentIn(
      pageOfText({ id: text, title: text, kind: text, file: text, agentId: text, dependsOn: [text] }),
    );
    expect(workstreams).toMatchObject([
      { id: shown, title: shown, kind: shown, file: shown, agentId: shown, dependsOn: [shown] },
    ]);
  });
});

/** Text that can't be compressed, of characters that take three bytes. */
function noise(random: () => number, length: number): string {
  return Array.from({ length }, () => String.fromCharCode(0x4e00 + Math.floor(random() * 20_000))).join('');
}

function noisyResult(index: number, random: () => number): AgentResult {
  const line = (): string => noise(random, 300);
  const block = (): string => noise(random, 5_000);
  return completedResult(`${index}${line()}`, {
    status: 'failed',
    explanation: block(),
    stack: block(),
    warnings: [line(), line(), line()],
    filesModified: [line(), line(), line()],
    metadata: { title: line(), file: line(), tail: block(), output: { [line()]: block() } },
  });
}

describe('the size of a page, whatever its texts', () => {
  test.each([
    [1, 300_000],
    [54, 300_000],
    [300, 370_000],
  ])('of %i workstreams is at most %i bytes', (count, most) => {
    const random = seededRandom(count);
    const results = Array.from({ length: count }, (_, index) => noisyResult(index, random));
    expect(Buffer.byteLength(pageOf(results))).toBeLessThan(most);
  });

  test('of 10,000 with long lists in each is bounded, and no more of them is made than fits', () => {
    const texts = Array.from({ length: 200 }, (_, index) => `${index}${'x'.repeat(590)}`);
    let read = 0;
    const source = sourceOf([]);
    const totals = { ...source.head.run.totals, workstreams: 10_000, completed: 10_000 };
    const page = htmlPage(
      {
        ...source,
        head: { ...source.head, run: { ...source.head.run, totals } },
        pageResults: (most) => ({
          results: (function* () {
            for (let index = 0; index < most; index += 1) {
              read += 1;
              yield completedResult(`ws-${index}`, { warnings: texts, filesModified: texts });
            }
          })(),
          aggregates: null,
        }),
      },
      FOLDER,
    );
    expect(Buffer.byteLength(page)).toBeLessThan(3_000_000);
    expect(documentIn(page).workstreams.length).toBeGreaterThan(100);
    expect(read).toBeLessThan(30_000);
  });

  test('of 54 usual ones leaves none of their texts out', () => {
    const tail = 'Error: no such table: users\n    at query (db.js:12:3)\n'.repeat(60);
    const results = Array.from({ length: 54 }, (_, index) =>
      completedResult(`ws-${index}`, { status: 'failed', metadata: { tail } }),
    );
    const page = pageOf(results);
    expect(documentIn(page).workstreams.filter((each) => each.tail === tail.trimEnd())).toHaveLength(54);
    expect(Buffer.byteLength(page)).toBeLessThan(300_000);
  });

  test('of a head that is all noise is bounded too', () => {
    const random = seededRandom(7);
    const source = sourceOf([]);
    const [pattern] = exampleHead().errors;
    if (pattern === undefined) throw new Error('the example has an error');
    const errors = Array.from({ length: 1_000 }, () => ({
      ...pattern,
      pattern: noise(random, 2_000),
      telling: noise(random, 2_000),
      workstreams: Array.from({ length: 20 }, () => noise(random, 100)),
      example: { ...pattern.example, message: noise(random, 8_000), tail: noise(random, 4_000) },
    }));
    const page = htmlPage({ ...source, head: { ...source.head, errors } }, FOLDER);
    expect(Buffer.byteLength(page)).toBeLessThan(300_000);
    expect(documentIn(page).head.errors.length).toBeGreaterThan(0);
  });
});
