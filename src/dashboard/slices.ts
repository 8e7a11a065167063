/** Long work on the thread that also sends events: a part of it at a time. */
import { performance } from 'node:perf_hooks';
import { setImmediate as otherWork } from 'node:timers/promises';

/** For how many milliseconds at a time. */
const SLICE_MS = 15;

/** Takes the steps of a generator, and has others served whenever they took so long. Resolves with what it returns. */
export async function inSlices<T>(steps: Generator<unknown, T>): Promise<T> {
  let from = performance.now();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (performance.now() - from < SLICE_MS) continue;
    await otherWork();
    from = performance.now();
  }
}

/** The items as they are made, one after the other: others are served before each further one is made. */
export async function* inTurns<T>(items: Iterable<T>): AsyncGenerator<T, void, undefined> {
  for (const item of items) {
    yield item;
    await otherWork();
  }
}
