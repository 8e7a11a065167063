/** The steps of an OpenCode session: each is one answer of the model and says what it took. */
import type { JsonObject } from '../../src/domain/json.ts';
import { NO_TOKENS, type Tokens } from '../../src/domain/tool.ts';
import { amountAt, countAt } from './count-at.ts';
import { textAt } from './json-line.ts';

/** Adds up what steps took; what none of them said stays unknown. */
export class OpencodeSteps {
  #isOpen = false;
  #finished = 0;
  #ending: string | null = null;
  #costUsd: number | null = null;
  #tokens: Tokens = NO_TOKENS;

  /** A step whose stream was cut has no end: the next one takes its place, because the model is asked again. */
  started(): void {
    this.#isOpen = true;
  }

  /** Takes the `part` of a `step_finish`. */
  finished(part: JsonObject): void {
    this.#isOpen = false;
    this.#finished += 1;
    this.#ending = textAt(part, 'reason');
    this.#costUsd = sum(this.#costUsd, amountAt(part, 'cost'));
    const read = countAt(part, 'tokens', 'cache', 'read');
    const written = countAt(part, 'tokens', 'cache', 'write');
    const reasoning = countAt(part, 'tokens', 'reasoning');
    const { input, output, cacheRead, cacheWrite, reasoning: reasoned } = this.#tokens;
    this.#tokens = {
      // It counts what came from a cache beside its input, and reasoning beside its output.
      input: sum(input, countAt(part, 'tokens', 'input'), read, written),
      output: sum(output, countAt(part, 'tokens', 'output'), reasoning),
      cacheRead: sum(cacheRead, read),
      cacheWrite: sum(cacheWrite, written),
      reasoning: sum(reasoned, reasoning),
    };
  }

  /** Whether the last step did not end, there was none, or the model was to be told what its tools had found. */
  open(): boolean {
    return this.#finished === 0 || this.#isOpen || this.#ending === 'tool-calls';
  }

  /** Why the last step ended, as the model said it. */
  ending(): string | null {
    return this.#ending;
  }

  count(): number {
    return this.#finished;
  }

  tokens(): Tokens {
    return this.#tokens;
  }

  /** US dollars, by the prices that the program knows; a model of which it knows none costs it 0. */
  costUsd(): number | null {
    return this.#costUsd;
  }
}

/** The sum of those that are known; null where none is. */
function sum(...parts: (number | null)[]): number | null {
  const known = parts.filter((part) => part !== null);
  return known.length === 0 ? null : known.reduce((total, part) => total + part, 0);
}
