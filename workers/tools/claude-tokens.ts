/** The tokens that Claude Code says it used. */
import type { JsonObject } from '../../src/domain/json.ts';
import { NO_TOKENS, type Tokens } from '../../src/domain/tool.ts';
import { countAt } from './count-at.ts';
import { isObject, objectAt } from './json-line.ts';

/**
 * Tokens of a final event. `modelUsage` counts every model and the subagents too; `usage` counts the main
 * conversation only, and is all zeros when the limit of cost was reached, so it is used only where there is no other.
 * The input that Anthropic counts is what came from no cache and went to none; here it is all of it.
 */
export function claudeTokens(result: JsonObject | null): Tokens {
  if (result === null) return NO_TOKENS;
  const models = Object.values(objectAt(result, 'modelUsage') ?? {}).filter(isObject);
  if (models.length > 0) {
    const sum = (key: string): number | null => total(models.map((model) => countAt(model, key)));
    return counted({
      input: sum('inputTokens'),
      output: sum('outputTokens'),
      cacheRead: sum('cacheReadInputTokens'),
      cacheWrite: sum('cacheCreationInputTokens'),
      reasoning: sum('thinkingTokens'),
    });
  }
  const usage = objectAt(result, 'usage');
  if (usage === null) return NO_TOKENS;
  return counted({
    input: countAt(usage, 'input_tokens'),
    output: countAt(usage, 'output_tokens'),
    cacheRead: countAt(usage, 'cache_read_input_tokens'),
    cacheWrite: countAt(usage, 'cache_creation_input_tokens'),
    reasoning: countAt(usage, 'output_tokens_details', 'thinking_tokens'),
  });
}

/** The same with the cached input counted as input. */
function counted(tokens: Tokens): Tokens {
  const { input, cacheRead, cacheWrite } = tokens;
  return { ...tokens, input: input === null ? null : input + (cacheRead ?? 0) + (cacheWrite ?? 0) };
}

/** The sum of what is known; null where nothing is. */
function total(counts: (number | null)[]): number | null {
  const known = counts.filter((count) => count !== null);
  return known.length === 0 ? null : known.reduce((sum, count) => sum + count, 0);
}
