/** What tables say of coding agents, in the report and on the terminal. */
import type { ToolPerformance } from '../domain/tool-record.ts';
import { dollars, percent, seconds } from '../text/format.ts';

interface ToolColumn {
  name: string;
  cell: (tool: ToolPerformance) => string | number | null;
}

export const TOOL_COLUMNS: readonly ToolColumn[] = [
  { name: 'tool', cell: ({ tool }) => tool },
  { name: 'model', cell: ({ model }) => model },
  { name: 'workstreams', cell: ({ workstreams }) => workstreams },
  { name: 'attempts', cell: ({ attempts }) => attempts },
  { name: 'completed', cell: completedText },
  { name: 'accepted', cell: ({ accepted }) => accepted },
  { name: 'not accepted', cell: ({ notAccepted }) => notAccepted },
  { name: 'false successes', cell: ({ falseSuccesses }) => falseSuccesses },
  { name: 'cost', cell: ({ costUsd }) => (costUsd === null ? null : dollars(costUsd)) },
  { name: 'tokens in', cell: ({ inputTokens }) => inputTokens },
  { name: 'tokens out', cell: ({ outputTokens }) => outputTokens },
  { name: 'time', cell: (tool) => seconds(tool.seconds) },
];

/** The cells of one tool, in the order of the columns. */
export const toolRow = (tool: ToolPerformance): (string | number | null)[] =>
  TOOL_COLUMNS.map(({ cell }) => cell(tool));

function completedText({ completed, attempts }: ToolPerformance): string | null {
  return attempts === 0 ? null : `${completed} (${percent(completed / attempts)})`;
}
