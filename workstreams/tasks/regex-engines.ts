import { z } from 'zod';
import type { ModuleResult, StepContext } from '../../src/domain/step-context.ts';
import { compileRegex } from './algorithms/thompson-regex.ts';
import { createCheckpoint } from './lib/checkpoint.ts';
import { round } from './lib/round.ts';

const inputSchema = z.strictObject({
  /** Lengths of the text, in order. */
  lengths: z.array(z.number().int().positive()).min(1),
  /** Backtracking is not tried with longer texts once it has taken longer than this. */
  patience_ms: z.number().positive(),
});

/**
 * Matches a?…a?a…a against a…a with the backtracking engine of JavaScript, whose time doubles with each letter, and with
 * a simulated automaton, whose time grows with the square (Cox, 2007).
 */
export default async function compareRegexEngines(
  input: unknown,
  context: StepContext,
): Promise<ModuleResult> {
  const { lengths, patience_ms } = inputSchema.parse(input);
  const checkpoint = createCheckpoint(context);
  const results: { letters: number; backtracking_ms: number | null; automaton_ms: number }[] = [];
  let hasPatience = true;
  for (const [i, letters] of lengths.entries()) {
    context.progress(i / lengths.length, `${letters} letters`);
    const pattern = 'a?'.repeat(letters) + 'a'.repeat(letters);
    const text = 'a'.repeat(letters);
    const automaton = compileRegex(pattern);
    const backtracking = new RegExp(`^${pattern}$`);
    const automaton_ms = milliseconds(() => automaton(text));
    const backtracking_ms: number | null = hasPatience ? milliseconds(() => backtracking.test(text)) : null;
    hasPatience &&= backtracking_ms !== null && backtracking_ms <= patience_ms;
    results.push({ letters, backtracking_ms, automaton_ms });
    await checkpoint((i + 1) / lengths.length, `${letters} letters`);
  }
  const overtaken = results.find(
    (each) => each.backtracking_ms !== null && each.automaton_ms < each.backtracking_ms,
  );
  context.log.info({ results: results.length }, 'measured');
  return { output: { automaton_is_faster_from_letters: overtaken?.letters ?? null, results } };
}

/** @throws Error when there is no match: the text always matches. */
function milliseconds(matches: () => boolean): number {
  const start = performance.now();
  if (!matches()) throw new Error('A regular expression engine did not find the match.');
  return round(performance.now() - start, 3);
}
