/** Bound once: code of a workstream may replace them by a fake clock. */
const wallNow: () => number = Date.now.bind(Date);
const monotonicNow: () => number = performance.now.bind(performance);

/** When something began, by the wall clock and by the monotonic clock. */
export interface StartTime {
  /** Milliseconds since 1970. */
  at: number;
  /** Milliseconds on the monotonic clock. */
  clock: number;
}

export const startTimer = (): StartTime => ({ at: wallNow(), clock: monotonicNow() });

/** Seconds since then, also where the wall clock was set meanwhile. */
export const secondsSince = ({ clock }: StartTime): number => (monotonicNow() - clock) / 1000;

/** Start, end and duration that agree: where the wall clock was set meanwhile, the end is by the clock as it was before. */
export function measured(begin: StartTime): { startedAt: number; endedAt: number; durationSeconds: number } {
  const durationSeconds = secondsSince(begin);
  return {
    startedAt: begin.at,
    endedAt: begin.at + Math.round(durationSeconds * 1000),
    durationSeconds,
  };
}

/** What the clock that all threads of the process share is ahead of this thread's own, in milliseconds. */
const ahead = sharedNow() - monotonicNow();

function sharedNow(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}

/** A time of this thread's monotonic clock on the clock that all threads of the process share. */
export const toSharedClock = (clock: number): number => clock + ahead;

export const fromSharedClock = (clock: number): number => clock - ahead;
