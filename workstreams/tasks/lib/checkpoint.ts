import { setImmediate } from 'node:timers/promises';
import type { StepContext } from '../../../src/domain/step-context.ts';

const EVERY_MS = 200;

/** Called in a long loop as often as is convenient; `fraction` is 0 to 1, or null when unknown. */
export type Checkpoint = (fraction: number | null, text: string) => Promise<void>;

/**
 * A thread that computes without a pause hears nothing, not even that it is to stop. The checkpoint shows progress and
 * gives the event loop a turn five times a second; calls in between cost a comparison.
 * @throws the signal's reason, from the checkpoint, once the workstream is to stop.
 */
export function createCheckpoint(context: Pick<StepContext, 'progress' | 'signal'>): Checkpoint {
  let last = performance.now();
  return async (fraction, text) => {
    if (performance.now() - last < EVERY_MS) return;
    context.progress(fraction, text);
    await setImmediate();
    context.signal.throwIfAborted();
    last = performance.now();
  };
}
