import type { Workstream } from '../domain/workstream.ts';

/** Work of this length in seconds is handed to an agent at once where one workstream takes less than `TINY`. */
const LOT = 0.004;
const TINY = 0.0005;
const MOST = 64;
/** The weight of the newest duration in the mean. */
const WEIGHT = 0.1;
/** What is assumed at first, in seconds: far from tiny. */
const UNKNOWN = 0.01;
/** A workstream with a shorter limit than this, in seconds, waits behind nothing: its time counts while it waits. */
const SHORT_LIMIT = 1;

/**
 * Measures how long workstreams take, to tell how many of them an agent may have in hand. Waking a thread takes tens
 * of microseconds, so that handing out work of less than that one by one keeps agents waiting.
 */
export class BatchSizer {
  #mean = UNKNOWN;
  #lately: number | null = null;

  /** Takes the duration of a workstream in seconds. */
  add(seconds: number): void {
    this.#mean += WEIGHT * (seconds - this.#mean);
    this.#lately = (this.#lately ?? seconds) + WEIGHT * (seconds - (this.#lately ?? seconds));
  }

  /** How long workstreams took lately, in seconds; null where none has ended. */
  get seconds(): number | null {
    return this.#lately;
  }

  /** How many workstreams an agent may have in hand, the one that it executes and what is lined up behind it. */
  get batchSize(): number {
    return this.#mean >= TINY ? 1 : Math.min(MOST, Math.floor(LOT / this.#mean));
  }
}

/**
 * Whether a workstream may be lined up: its steps are modules in a thread, in the shared workspace, and nothing comes
 * before or after them.
 * @param defaultTimeout of a workstream without a limit of its own, in seconds.
 */
export function canBatch(workstream: Workstream, defaultTimeout: number): boolean {
  const { acceptanceTests, testGates, isolation, steps, timeoutSeconds, workspace } = workstream;
  const { filesScope, filesCreate } = workstream;
  return (
    isolation === 'thread' &&
    workspace !== 'worktree' &&
    filesScope.length + filesCreate.length === 0 &&
    acceptanceTests.length === 0 &&
    testGates.length === 0 &&
    (timeoutSeconds ?? defaultTimeout) >= SHORT_LIMIT &&
    steps.every(({ kind }) => kind === 'module')
  );
}
