/** A scripted model that speaks the API of Gemini, as far as Gemini CLI asks for it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../../src/domain/json.ts';
import { type Dialect, type ModelServer, modelServer, type Reply } from './model-server.ts';

/** The model to ask for: without one, a small one is asked first which other one to ask. */
export const MODEL = 'gemini-2.5-pro';

/** Tokens that each answer says it took. */
export const USED = { input: 100, output: 12, cacheRead: 20, reasoning: 4 };

const chunk = (parts: JsonObject[], more: JsonObject = {}): string =>
  `data: ${JSON.stringify({
    candidates: [{ index: 0, content: { role: 'model', parts }, ...more }],
    modelVersion: MODEL,
    usageMetadata: {
      promptTokenCount: USED.input,
      candidatesTokenCount: USED.output,
      cachedContentTokenCount: USED.cacheRead,
      thoughtsTokenCount: USED.reasoning,
      totalTokenCount: USED.input + USED.output + USED.reasoning,
    },
  })}\r\n\r\n`;

const google: Dialect = {
  path: `/v1beta/models/${MODEL}:streamGenerateContent`,
  streams: true,
  events({ say, call }) {
    const middle = Math.ceil((say ?? '').length / 2);
    const [first, second] =
      say === undefined
        ? ['', '']
        : [chunk([{ text: say.slice(0, middle) }]), chunk([{ text: say.slice(middle) }])];
    const called = call === undefined ? '' : chunk([{ functionCall: { name: call.tool, args: call.input } }]);
    return [first, second + called + chunk([], { finishReason: 'STOP' })];
  },
  refusal: ({ status, type, message }) => ({ error: { code: status, message, status: type } }),
};

/** Starts a server; the environment that points Gemini CLI to it is `geminiEnvironment`. */
export const geminiServer = (...script: [Reply, ...Reply[]]): Promise<ModelServer> =>
  modelServer(google, script);

/** Writes a configuration into `home` and gives the environment in which Gemini CLI asks `address` and tries once. */
export function geminiEnvironment(
  address: string,
  home: string,
  configured: JsonObject = {},
): Record<string, string> {
  mkdirSync(join(home, '.gemini'), { recursive: true });
  const configuration = {
    security: { auth: { selectedType: 'gemini-api-key' } },
    general: { maxAttempts: 1, enableAutoUpdate: false, enableAutoUpdateNotification: false },
    privacy: { usageStatisticsEnabled: false },
    ...configured,
  };
  writeFileSync(join(home, '.gemini', 'settings.json'), JSON.stringify(configuration));
  return { HOME: home, TMPDIR: home, GEMINI_API_KEY: 'not-a-key', GOOGLE_GEMINI_BASE_URL: address };
}
