/** A limit that one test has for itself, within that of its execution. */
export interface TimeLimit {
  /** Aborted when the time is up or the execution is stopped. */
  signal: AbortSignal;
  /** Whether the time was up. */
  passed(): boolean;
  stop(): void;
}

/** Starts counting at once. Without seconds only the execution's own signal counts. */
export function timeLimit(seconds: number | null, outer: AbortSignal): TimeLimit {
  if (seconds === null) return { signal: outer, passed: () => false, stop: () => undefined };
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), seconds * 1000);
  return {
    signal: AbortSignal.any([outer, limit.signal]),
    passed: () => limit.signal.aborted,
    stop: () => clearTimeout(timer),
  };
}
