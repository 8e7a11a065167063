/** A scripted model that speaks the Responses API of OpenAI, as far as Codex asks for it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
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
export const USED = { input: 100, output: 12, cacheRead: 20, reasoning: 4 };

const openai: Dialect = {
  path: '/v1/responses',
  events(answer, number) {
    const id = `resp_${number}`;
    const completed = serverSentEvent({
      type: 'response.completed',
      response: {
        id,
        usage: {
          input_tokens: USED.input,
          input_tokens_details: { cached_tokens: USED.cacheRead },
          output_tokens: USED.output,
          output_tokens_details: { reasoning_tokens: USED.reasoning },
          total_tokens: USED.input + USED.output,
        },
      },
    });
    const [first, second] = outputItems(answer, number);
    return [serverSentEvent({ type: 'response.created', response: { id } }) + first, second + completed];
  },
  refusal: ({ type, message }) => ({ error: { type, message } }),
};

/** The events of an answer's items; a text is split in two, so that there is something to stop in. */
function outputItems({ say, call }: Answer, number: number): [string, string] {
  let first = '';
  let second = '';
  if (say !== undefined) {
    const id = `msg_${number}`;
    const message = (text: string): JsonObject => ({
      type: 'message',
      id,
      role: 'assistant',
      content: text === '' ? [] : [{ type: 'output_text', text }],
    });
    const delta = (text: string): string =>
      serverSentEvent({
        type: 'response.output_text.delta',
        item_id: id,
        output_index: 0,
        content_index: 0,
        delta: text,
      });
    const middle = Math.ceil(say.length / 2);
    first =
      serverSentEvent({ type: 'response.output_item.added', output_index: 0, item: message('') }) +
      delta(say.slice(0, middle));
    second = delta(say.slice(middle)) + itemDone(0, message(say));
  }
  if (call !== undefined) {
    second += itemDone(say === undefined ? 0 : 1, {
      type: 'function_call',
      id: `fc_${number}`,
      call_id: `call_${number}`,
      name: call.tool,
      arguments: JSON.stringify(call.input),
    });
  }
  return [first, second];
}

const itemDone = (output_index: number, item: JsonObject): string =>
  serverSentEvent({ type: 'response.output_item.done', output_index, item });

/** Starts a server; the environment that points Codex to it is `codexEnvironment`. */
export const openaiServer = (...script: [Reply, ...Reply[]]): Promise<ModelServer> =>
  modelServer(openai, script);

/** Writes a configuration into `home` and gives the environment in which Codex asks `address` and tries once. */
export function codexEnvironment(address: string, home: string): Record<string, string> {
  const provider = [
    'model = "scripted-model"',
    'model_provider = "scripted"',
    '[model_providers.scripted]',
    'name = "scripted"',
    `base_url = "${address}/v1"`,
    'wire_api = "responses"',
    'env_key = "SCRIPTED_KEY"',
    'request_max_retries = 0',
    'stream_max_retries = 0',
    '',
  ];
  writeFileSync(join(home, 'config.toml'), provider.join('\n'));
  return { HOME: home, CODEX_HOME: home, SCRIPTED_KEY: 'not-a-key' };
}
