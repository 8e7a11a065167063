/** Turns what a tool reports, which is untrusted, into a `ToolReport`. */
import type { ToolReport } from '../../src/domain/tool.ts';
import { firstOf } from '../../src/text/cut-text.ts';
import type { ToolFindings } from './tool.ts';

const MAX_TEXT = 20_000;
const MAX_NAME = 200;
/** No step has cost more, and sums stay finite. */
const MAX_COST_USD = 1e6;

/** The part of a report that Millrace measures itself. */
export type Measured = Pick<ToolReport, 'tool' | 'version' | 'durationSeconds' | 'limit'>;

/** The report of one tool step. Numbers that can't be true are null, and text has its limit. */
export function makeToolReport(findings: ToolFindings, measured: Measured): ToolReport {
  const { tokens } = findings;
  return {
    ...measured,
    model: shortName(findings.model),
    sessionId: shortName(findings.sessionId),
    text: firstOf(findings.text, MAX_TEXT),
    tokens: {
      input: count(tokens.input),
      output: count(tokens.output),
      cacheRead: count(tokens.cacheRead),
      cacheWrite: count(tokens.cacheWrite),
      reasoning: count(tokens.reasoning),
    },
    costUsd: amount(findings.costUsd),
    turns: count(findings.turns),
    toolCalls: count(findings.toolCalls),
  };
}

const amount = (value: number | null): number | null =>
  value !== null && value >= 0 && value <= MAX_COST_USD ? value : null;

const count = (value: number | null): number | null =>
  value !== null && Number.isSafeInteger(value) && value >= 0 ? value : null;

const shortName = (text: string | null): string | null => (text === null ? null : firstOf(text, MAX_NAME));
