/** How long workstreams are expected to take. */
export interface Expectation {
  /** By index into the ids. */
  seconds: Float64Array;
  /** How many of them come from earlier runs. */
  known: number;
}

/** What is assumed where no duration at all is known, in seconds. */
const ASSUMED = 1;

/** Durations of earlier runs; where there is none the median of those there are, or 1 s. */
export function expectedSeconds(
  ids: readonly string[],
  knownSeconds: ReadonlyMap<string, number>,
): Expectation {
  const found = ids.map((id) => {
    const seconds = knownSeconds.get(id);
    return seconds !== undefined && Number.isFinite(seconds) && seconds >= 0 ? seconds : null;
  });
  const known = found.filter((seconds) => seconds !== null);
  const otherwise = median(known) ?? ASSUMED;
  return { seconds: Float64Array.from(found, (seconds) => seconds ?? otherwise), known: known.length };
}

function median(numbers: readonly number[]): number | null {
  const sorted = Float64Array.from(numbers).toSorted();
  const upper = sorted[sorted.length >> 1];
  const lower = sorted[(sorted.length - 1) >> 1];
  return upper === undefined || lower === undefined ? null : (lower + upper) / 2;
}
