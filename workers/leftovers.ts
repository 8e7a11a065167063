import { delay } from './delay.ts';

/** Timers, sockets and the like that keep a thread's event loop busy, counted by kind. */
export type Resources = ReadonlyMap<string, number>;

/** Counts what is active in this thread now. */
export function activeResources(): Resources {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

/** What closes by itself, such as a file that was just read, gets this long to do so. */
const SETTLE_MS = 10;

/** Whether something is active that was not in `before`. */
export const hasMoreThan = (before: Resources): boolean => compare(before) !== null;

/** What is still active and was not in `before`, as "2 × Timeout, 1 × TCPServerWrap"; null for nothing. */
export async function leftoversSince(before: Resources): Promise<string | null> {
  if (compare(before) === null) return null;
  await delay(SETTLE_MS).promise;
  return compare(before);
}

function compare(before: Resources): string | null {
  const parts: string[] = [];
  for (const [kind, count] of activeResources()) {
    const more = count - (before.get(kind) ?? 0);
    // A pending immediate ends by itself within this turn of the event loop.
    if (more > 0 && kind !== 'Immediate') parts.push(`${more} × ${kind}`);
  }
  return parts.length === 0 ? null : parts.join(', ');
}
