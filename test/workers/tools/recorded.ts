/** Gives a reader what a real program once printed; test/agents/keep-stream.ts made the recordings. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Failure } from '../../../src/domain/failure.ts';
import type { BuiltInTool } from '../../../src/domain/tool.ts';
import type { ToolAdapter, ToolFindings, ToolRequest } from '../../../workers/tools/tool.ts';
import type { KeptEnd } from '../../agents/keep-stream.ts';
import { request } from './replay.ts';

const streams = fileURLToPath(new URL('../../fixtures/streams', import.meta.url));

/** A request to a tool that nothing was configured for. */
export const requestTo = (tool: BuiltInTool, more: Partial<ToolRequest> = {}): ToolRequest => ({
  ...request(tool),
  ...more,
});

export interface Replayed {
  activities: string[];
  findings: ToolFindings;
  failure: Failure | null;
}

/** Every name that an index holds. */
export function recordedNames(tool: BuiltInTool): string[] {
  return Object.keys(ends(tool)).map((name) => name.slice(tool.length + 1));
}

/** Replays `TOOL-NAME.jsonl`. `change` may add and take away lines. */
export function replay(
  adapter: ToolAdapter,
  tool: BuiltInTool,
  name: string,
  change: (lines: string[]) => string[] = (lines) => lines,
): Replayed {
  const kept = ends(tool)[`${tool}-${name}`];
  if (kept === undefined) throw new Error(`there is no recording ${tool}-${name}`);
  const lines = readFileSync(join(streams, `${tool}-${name}.jsonl`), 'utf8')
    .split('\n')
    .slice(0, -1);
  const reader = adapter.reader(requestTo(tool));
  const activities: string[] = [];
  for (const line of change(lines)) {
    reader.line(line);
    const activity = reader.activity();
    if (activity !== null) activities.push(activity);
  }
  const { exitCode, signal, stderr } = kept;
  const tail = [...lines, stderr].join('\n').slice(-4000);
  const failure = reader.judge({ exitCode, signal, tail, log: '/agent/output.log' });
  return { activities, findings: reader.report(), failure };
}

function ends(tool: BuiltInTool): Record<string, KeptEnd> {
  return JSON.parse(readFileSync(join(streams, `${tool}-index.json`), 'utf8')) as Record<string, KeptEnd>;
}

/** Lines that no tool should print, and that a reader passes over. */
export const GARBAGE = [
  '',
  'Ripgrep is not available.',
  '{',
  'null',
  '[]',
  '"text"',
  '{"type":7}',
  '{"type":"result","status":{"a":1},"stats":[],"error":"none"}',
  '{"type":"result","stats":{"input_tokens":-1,"output_tokens":0.5,"models":{"a":1}}}',
  '{"type":"message","role":"assistant","content":{"text":1}}',
  '{"type":"tool_use","part":null,"parameters":[1],"tool_name":{}}',
  '{"type":"tool_result","tool_id":[],"status":null,"error":"none"}',
  '{"type":"step_finish","part":{"tokens":{"input":"many","cache":null},"cost":"free"}}',
  '{"type":"step_finish","part":{"tokens":{"input":-1,"output":0.5,"cache":{"read":1e300}},"cost":-1}}',
  '{"type":"error","error":"none","message":[]}',
  `{"type":"text","part":{"text":${'['.repeat(100)}${']'.repeat(100)}}}`,
  '\u0000\ufffd\u001b[31m',
];
