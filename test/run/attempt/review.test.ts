import { describe, expect, test } from 'vitest';
import { type ReviewEnd, readAnswer, recordOf, refusalAfter } from '../../../src/run/attempt/review.ts';

describe('an answer', () => {
  test('has findings with their places, and a verdict', () => {
    const text = [
      'I looked at everything.',
      'FINDING error | src/a b.ts:12 | It is wrong | very.',
      '**FINDING** warning | `src/c.ts` | It is slow.',
      'FINDING: [note] | - | No test.',
      '**VERDICT: reject**',
    ].join('\n');
    expect(readAnswer(text)).toEqual({
      verdict: 'rejected',
      findings: [
        { severity: 'error', file: 'src/a b.ts', line: 12, text: 'It is wrong | very.' },
        { severity: 'warning', file: 'src/c.ts', line: null, text: 'It is slow.' },
        { severity: 'note', file: null, line: null, text: 'No test.' },
      ],
    });
  });

  test.each([
    ['VERDICT accept', 'accepted'],
    ['verdict: accepted.', 'accepted'],
    ['FINDING error | a.ts:1 | x\nVERDICT accept', 'accepted'],
    ['VERDICT reject\nVERDICT accept', 'rejected'],
    ['FINDING error | a.ts:1 | x', 'rejected'],
    ['FINDING note | a.ts:1 | x', 'accepted'],
    ['', 'none'],
    ['It is fine. VERDICT accept', 'none'],
    ['+VERDICT accept\n VERDICT accept\n-VERDICT accept', 'none'],
    ['VERDICT <accept or reject>', 'none'],
    ['FINDING <severity> | <file>:<line> | <what is wrong>', 'none'],
    ['VERDICT accept or reject', 'none'],
  ])('%j is %s', (text, verdict) => {
    expect(readAnswer(text).verdict).toBe(verdict);
  });
});

const report = (text: string): ReviewEnd['report'] => ({
  tool: 'codex',
  version: null,
  model: null,
  sessionId: null,
  text,
  tokens: { input: null, output: null, cacheRead: null, cacheWrite: null, reasoning: null },
  costUsd: null,
  turns: null,
  toolCalls: null,
  durationSeconds: 1,
  limit: null,
});
const review = { tool: 'codex', tasks: [], blocks: true, timeoutSeconds: null };
const ended = (text: string, problem: string | null = null): ReviewEnd => ({
  attempt: 1,
  failure: null,
  problem,
  report: report(text),
  durationSeconds: 1,
  logFile: null,
});

describe('a review', () => {
  test('of a tool that failed gives no verdict, whatever it said before', () => {
    const record = recordOf(review, ended('VERDICT accept', 'codex failed: exit code 3'));
    expect(record).toMatchObject({ verdict: 'none', noVerdict: 'codex failed: exit code 3' });
    expect(refusalAfter(record)?.reason).toBe('no-review');
  });

  test('keeps the gravest of many findings, and how many there were', () => {
    const notes = Array.from({ length: 150 }, (_, index) => `FINDING note | a.ts:${index + 1} | x`);
    const record = recordOf(review, ended([...notes, 'FINDING error | b.ts | y'].join('\n')));
    expect(record.findings).toHaveLength(100);
    expect(record.findings[0]).toMatchObject({ severity: 'error', file: 'b.ts' });
    expect(record.found).toBe(151);
  });

  test('that rejects without a finding names the end of what was said', () => {
    const refusal = refusalAfter(recordOf(review, ended('It is bad.\nVERDICT reject')));
    expect(refusal).toMatchObject({
      reason: 'review-failed',
      findings: [expect.stringContaining('It is bad.')],
    });
  });

  test('refuses nothing where it is not to block', () => {
    const record = recordOf({ ...review, blocks: false }, ended('VERDICT reject'));
    expect(refusalAfter(record)).toBeNull();
  });
});
