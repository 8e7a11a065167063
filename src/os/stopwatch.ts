/** Read once: code of a workstream may put a fake clock in their place. */
const wallNow: () => number = Date.now.bind(Date);
const monotonicNow: () => number = performance.now.bind(performance);

/** When something began: by the clock on the wall, and by one that never goes back. */
export interface StartTime {
  /** Milliseconds since 1970. */
  at: number;
  /** Milliseconds on the monotonic clock. */
  clock: number;
}

export const startTimer = (): StartTime => ({ at: wallNow(), clock: monotonicNow() });

/** Seconds since then, however the clock on the wall was set meanwhile. */
export const secondsSince = ({ clock }: StartTime): number => (monotonicNow() - clock) / 1000;

/** Start, end and duration that agree: where the clock on the wall was set meanwhile, the end is as it stood before. */
export function measured(begin: StartTime): { startedAt: number; endedAt: number; durationSeconds: number } {
  const durationSeconds = secondsSince(begin);
  return {
    startedAt: begin.at,
    endedAt: begin.at + Math.round(durationSeconds * 1000),
    durationSeconds,
  };
}
