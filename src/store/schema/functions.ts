/** Functions that queries use beside those of SQLite. */
import { normalizeMessage } from '../../text/normalize-message.ts';
import type { Connection } from './connection.ts';

/**
 * `pattern_of(message)`: the normalised form of an error's message.
 *
 * `nearest_ranks(value)`: the median and the 95th percentile of the numbers as a JSON array, null for none. By nearest
 * rank: each is the least value that at least its share of them is not above. SQLite would sort all rows for that.
 */
export function addFunctions(connection: Connection): void {
  connection.function('pattern_of', { deterministic: true }, (message: unknown) =>
    typeof message === 'string' ? normalizeMessage(message) : '',
  );
  connection.aggregate<number[]>('nearest_ranks', {
    start: () => [],
    step: (values, value: unknown) => {
      if (typeof value === 'number') values.push(value);
    },
    result: nearestRanks,
  });
}

const PERCENTS = [50, 95];

function nearestRanks(values: number[]): string | null {
  if (values.length === 0) return null;
  const sorted = Float64Array.from(values).sort();
  return JSON.stringify(PERCENTS.map((percent) => sorted[Math.ceil((sorted.length * percent) / 100) - 1]));
}
