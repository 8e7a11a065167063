import { expect, test } from 'vitest';
import { NO_TOKENS } from '../../../src/domain/tool.ts';
import { toolReportSchema } from '../../../src/domain/tool-report.ts';
import { makeToolReport } from '../../../workers/tools/report.ts';

const measured = { tool: 'agent', version: '1', durationSeconds: 2, limit: null };

test('what a tool said is kept', () => {
  const findings = {
    model: 'm',
    sessionId: 's',
    text: 'done',
    tokens: { ...NO_TOKENS, input: 5, output: 0 },
    costUsd: 0.25,
    turns: 3,
    toolCalls: 4,
  };
  expect(makeToolReport(findings, measured)).toEqual({ ...findings, ...measured });
});

test.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 1e300])(
  'a number that can not be true does not lose the outcome: %d',
  (number) => {
    const findings = {
      model: 'm'.repeat(1_000),
      sessionId: null,
      text: 'x'.repeat(30_000),
      tokens: { input: number, output: number, cacheRead: number, cacheWrite: number, reasoning: number },
      costUsd: number === 1.5 ? null : number,
      turns: number,
      toolCalls: number,
    };
    const report = makeToolReport(findings, measured);
    expect(toolReportSchema.parse(report)).toEqual(report);
    expect(report).toMatchObject({ tokens: NO_TOKENS, costUsd: null, turns: null, toolCalls: null });
    expect(report.text).toHaveLength(20_000);
  },
);
