import { z } from 'zod';
import type { ModuleResult, StepContext } from '../../src/domain/step-context.ts';
import { compileRegex } from './algorithms/thompson-regex.ts';
import { createCheckpoint } from './lib/checkpoint.ts';
import { round } from './lib/round.ts';

const inputSchema = z.strictObject({
  /** Matched against texts that consist of the letter a, and matches none of them. */
  pattern: z.string(),
  /** Lengths of the texts, in order. */
  lengths: z.array(z.number().int().positive()).min(1),
  /** Backtracking is not tried with a text for which it would take longer than this. */
  patience_ms: z.number().positive(),
});

/** Times for one text; null where backtracking was not tried. */
interface Measured {
  letters: number;
  backtracking_ms: number | null;
  automaton_ms: number;
}

/**
 * Matches one pattern with the backtracking engine of JavaScript, whose time may double with each letter of the text,
 * and with a simulated automaton, whose time grows in proportion (Cox, 2007).
 */
export default async function compareRegexEngines(
  input: unknown,
  context: StepContext,
): Promise<ModuleResult> {
  const { pattern, lengths, patience_ms } = inputSchema.parse(input);
  const checkpoint = createCheckpoint(context);
  const automaton = compileRegex(pattern);
  const backtracking = new RegExp(`^(?:${pattern})$`);
  const results: Measured[] = [];
  for (const [i, letters] of lengths.entries()) {
    context.progress(i / lengths.length, `${letters} letters`);
    const text = 'a'.repeat(letters);
    const automaton_ms = milliseconds(() => automaton(text));
    const isBearable = expectedMs(results.at(-1), letters) <= patience_ms;
    const backtracking_ms = isBearable ? milliseconds(() => backtracking.test(text)) : null;
    results.push({ letters, backtracking_ms, automaton_ms });
    await checkpoint((i + 1) / lengths.length, `${letters} letters`);
  }
  const overtaken = results.find(
    (each) => each.backtracking_ms !== null && each.automaton_ms < each.backtracking_ms,
  );
  context.log.info({ pattern, results: results.length }, 'measured');
  const automaton_is_faster_from_letters = overtaken?.letters ?? null;
  return { output: { pattern, automaton_is_faster_from_letters, results } };
}

/** Twice as long for each letter more; nothing is known before the first measurement, and no longer text is bearable. */
function expectedMs(last: Measured | undefined, letters: number): number {
  if (last === undefined) return 0;
  return last.backtracking_ms === null ? Infinity : last.backtracking_ms * 2 ** (letters - last.letters);
}

/** @throws Error when there is a match. */
function milliseconds(matches: () => boolean): number {
  const start = performance.now();
  if (matches()) throw new Error('A regular expression engine found a match where there is none.');
  return round(performance.now() - start, 3);
}
