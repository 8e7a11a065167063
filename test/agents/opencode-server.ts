/** A scripted model that speaks the chat completions of OpenAI, as far as OpenCode asks for them. */
import type { JsonObject } from '../../src/domain/json.ts';
import { type Dialect, type ModelServer, modelServer, type Reply } from './model-server.ts';

/** Tokens that each answer says it took; `input` is without what came from the cache, `output` without reasoning. */
export const USED = { input: 80, output: 8, cacheRead: 20, reasoning: 4 };
/** US dollars for each answer, by the prices in the configuration. */
export const COST = (USED.input * 1 + USED.cacheRead * 0.5 + (USED.output + USED.reasoning) * 2) / 1e6;

const completions: Dialect = {
  path: '/v1/chat/completions',
  events({ say, call }, number) {
    const chunk = (choices: JsonObject[], more: JsonObject = {}): string =>
      `data: ${JSON.stringify({ id: `chat_${number}`, object: 'chat.completion.chunk', created: 1, model: 'model', choices, ...more })}\n\n`;
    const delta = (delta: JsonObject): string => chunk([{ index: 0, delta, finish_reason: null }]);
    const middle = Math.ceil((say ?? '').length / 2);
    const first = delta({ role: 'assistant', content: (say ?? '').slice(0, middle) });
    let second = say === undefined ? '' : delta({ content: say.slice(middle) });
    if (call !== undefined) {
      const called = { name: call.tool, arguments: JSON.stringify(call.input) };
      second += delta({
        tool_calls: [{ index: 0, id: `call_${number}`, type: 'function', function: called }],
      });
    }
    const finish_reason = call === undefined ? 'stop' : 'tool_calls';
    second += chunk([{ index: 0, delta: {}, finish_reason }]);
    second += chunk([], {
      usage: {
        prompt_tokens: USED.input + USED.cacheRead,
        prompt_tokens_details: { cached_tokens: USED.cacheRead },
        completion_tokens: USED.output + USED.reasoning,
        completion_tokens_details: { reasoning_tokens: USED.reasoning },
        total_tokens: USED.input + USED.cacheRead + USED.output + USED.reasoning,
      },
    });
    return [first, `${second}data: [DONE]\n\n`];
  },
  refusal: ({ type, message }) => ({ error: { type, message } }),
};

/** Starts a server; the environment that points OpenCode to it is `opencodeEnvironment`. */
export const opencodeServer = (...script: [Reply, ...Reply[]]): Promise<ModelServer> =>
  modelServer(completions, script);

/** The environment in which OpenCode asks `address`, and asks it nothing but the task. */
export function opencodeEnvironment(
  address: string,
  home: string,
  configured: JsonObject = {},
): Record<string, string> {
  const configuration = {
    autoupdate: false,
    share: 'disabled',
    model: 'scripted/model',
    // It would ask the model for a title of the session at the same time.
    agent: { title: { disable: true } },
    provider: {
      scripted: {
        npm: '@ai-sdk/openai-compatible',
        name: 'Scripted',
        options: { baseURL: `${address}/v1`, apiKey: 'not-a-key' },
        models: {
          model: {
            name: 'Model',
            tool_call: true,
            cost: { input: 1, output: 2, cache_read: 0.5 },
            limit: { context: 100_000, output: 10_000 },
          },
        },
      },
    },
    ...configured,
  };
  return {
    HOME: home,
    OPENCODE_DISABLE_MODELS_FETCH: '1',
    OPENCODE_DISABLE_AUTOUPDATE: '1',
    OPENCODE_CONFIG_CONTENT: JSON.stringify(configuration),
  };
}
