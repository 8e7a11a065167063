/** Gives a reader what a real program once printed. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { BuiltInTool, ToolSettings } from '../../../src/domain/tool.ts';
import type { ToolAdapter, ToolEnd, ToolReader, ToolRequest } from '../../../workers/tools/tool.ts';
import type { RecordedEnd } from '../../agents/record.ts';
import { customTool } from '../../kit/definitions.ts';

const streams = new URL('../../fixtures/streams/', import.meta.url);

/** How each recorded program ended, by name. */
export const recordings = JSON.parse(readFileSync(new URL('index.json', streams), 'utf8')) as Record<
  string,
  RecordedEnd
>;

/** The text of a recorded file. */
export const recorded = (file: string): string => readFileSync(fileURLToPath(new URL(file, streams)), 'utf8');

/** A request for a tool that nothing was configured for. */
export function request(tool: BuiltInTool, settings: Partial<ToolSettings> = {}): ToolRequest {
  return {
    settings: customTool([tool], { name: tool, adapter: tool, ...settings }),
    prompt: 'Add a test.',
    promptFile: '/agent/scratch/prompt.txt',
    folder: '/agent/work',
    scratch: '/agent/scratch',
    sessionId: '11111111-2222-4333-8444-555555555555',
    resume: null,
    budgetUsd: null,
    scope: [],
  };
}

export interface Replayed {
  reader: ToolReader;
  end: ToolEnd;
  activities: string[];
}

/** Reads a recording, the first `lines` of it or all, to the end that it had. */
export function replay(
  adapter: ToolAdapter,
  name: string,
  asked: ToolRequest,
  lines = Number.POSITIVE_INFINITY,
): Replayed {
  const text = recorded(`${name}.jsonl`).split('\n').slice(0, lines).join('\n');
  const known = recordings[name];
  if (known === undefined) throw new Error(`there is no recording ${name}`);
  return read(adapter, text, { exitCode: known.exitCode, signal: known.signal }, asked, known.stderr);
}

/** Reads a text as if a program had printed it and then ended. */
export function read(
  adapter: ToolAdapter,
  text: string,
  { exitCode, signal }: Pick<ToolEnd, 'exitCode' | 'signal'>,
  asked: ToolRequest,
  stderr = '',
): Replayed {
  const reader = adapter.reader(asked);
  const activities: string[] = [];
  for (const line of text.split('\n')) {
    reader.line(line);
    const activity = reader.activity();
    if (activity !== null) activities.push(activity);
  }
  const tail = `${text}\n${stderr}`.slice(-4000);
  return { reader, end: { exitCode, signal, tail, log: '/agent/output.log' }, activities };
}

/** Lines that no program should print and that one will. */
export const NASTY = [
  '',
  ' ',
  '\u0000',
  '{',
  '{}',
  '[]',
  'null',
  'true',
  '0',
  '"text"',
  '\ufeff{"type":"result"}',
  '{"type":null}',
  '{"type":{}}',
  '{"type":"result"}',
  '{"type":"result","usage":[],"modelUsage":{"m":7},"errors":{},"permission_denials":[null,1,{}],"result":[]}',
  '{"type":"result","is_error":"yes","subtype":5,"total_cost_usd":"free","num_turns":1e999}',
  '{"type":"result","num_turns":-1,"total_cost_usd":-2,"usage":{"input_tokens":1.5,"output_tokens":1e300}}',
  '{"type":"result","modelUsage":{"m":{"inputTokens":-3,"outputTokens":0.1}}}',
  '{"type":"turn.completed","usage":{"input_tokens":-1,"output_tokens":1.5}}',
  '{"type":"assistant","message":"text"}',
  '{"type":"assistant","message":{"content":[null,3,{"type":"tool_use"},{"type":"text"},{"type":"text","text":""}]}}',
  '{"type":"system","subtype":"init","model":{"__proto__":1},"session_id":9}',
  '{"type":"thread.started"}',
  '{"type":"turn.completed","usage":"much"}',
  '{"type":"turn.failed","error":"words"}',
  '{"type":"error"}',
  '{"type":"item.completed","item":7}',
  '{"type":"item.completed","item":{"type":"file_change","changes":[null,{"path":3,"kind":[]}]}}',
  '{"type":"item.completed","item":{"type":"command_execution","command":null,"aggregated_output":{}}}',
  `{"type":"item.completed","item":{"type":"agent_message","text":"${'x'.repeat(100_000)}"}}`,
  '{"__proto__":{"type":"result"},"constructor":{"name":"x"}}',
  '['.repeat(10_000),
];
