/** A scripted model that speaks the Messages API of Anthropic, as far as Claude Code asks for it. */
import type { JsonObject } from '../../src/domain/json.ts';
import {
  type Answer,
  type Dialect,
  type ModelServer,
  modelServer,
  type Reply,
  serverSentEvent,
} from './model-server.ts';

/** Tokens that each answer says it took. */
export const USED = { input: 100, output: 12, cacheRead: 20, cacheWrite: 10 };

const anthropic: Dialect = {
  path: '/v1/messages',
  events(answer, number) {
    const blocks = contentBlocks(answer, number);
    const start = serverSentEvent({
      type: 'message_start',
      message: {
        id: `msg_${number}`,
        type: 'message',
        role: 'assistant',
        model: 'scripted-model',
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: {
          input_tokens: USED.input,
          cache_read_input_tokens: USED.cacheRead,
          cache_creation_input_tokens: USED.cacheWrite,
          output_tokens: 1,
        },
      },
    });
    const end = serverSentEvent({
      type: 'message_delta',
      delta: { stop_reason: answer.call === undefined ? 'end_turn' : 'tool_use', stop_sequence: null },
      usage: { output_tokens: USED.output },
    });
    const [first = '', ...rest] = blocks;
    return [start + first, rest.join('') + end + serverSentEvent({ type: 'message_stop' })];
  },
  refusal: ({ type, message }) => ({ type: 'error', error: { type, message } }),
};

/** The events of each block of an answer; a text is split in two, so that there is something to stop in. */
function contentBlocks({ say, call }: Answer, number: number): string[] {
  const events: string[] = [];
  let index = 0;
  if (say !== undefined) {
    const middle = Math.ceil(say.length / 2);
    events.push(
      started(index, { type: 'text', text: '' }) +
        changed(index, { type: 'text_delta', text: say.slice(0, middle) }),
      changed(index, { type: 'text_delta', text: say.slice(middle) }) + stopped(index),
    );
    index += 1;
  }
  if (call !== undefined) {
    events.push(
      started(index, { type: 'tool_use', id: `toolu_${number}`, name: call.tool, input: {} }) +
        changed(index, { type: 'input_json_delta', partial_json: JSON.stringify(call.input) }) +
        stopped(index),
    );
  }
  return events;
}

const started = (index: number, content_block: JsonObject): string =>
  serverSentEvent({ type: 'content_block_start', index, content_block });
const changed = (index: number, delta: JsonObject): string =>
  serverSentEvent({ type: 'content_block_delta', index, delta });
const stopped = (index: number): string => serverSentEvent({ type: 'content_block_stop', index });

/** Starts a server; the environment that points Claude Code to it is `claudeEnvironment`. */
export const anthropicServer = (...script: [Reply, ...Reply[]]): Promise<ModelServer> =>
  modelServer(anthropic, script);

/** Environment in which Claude Code asks `address` and nobody else, keeps its files in `home` and tries once. */
export function claudeEnvironment(address: string, home: string): Record<string, string> {
  return {
    HOME: home,
    CLAUDE_CONFIG_DIR: home,
    ANTHROPIC_BASE_URL: address,
    ANTHROPIC_API_KEY: 'not-a-key',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    CLAUDE_CODE_MAX_RETRIES: '0',
  };
}
