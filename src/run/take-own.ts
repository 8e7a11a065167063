import type { ReadyQueue } from '../plan/ready.ts';

/**
 * How many workstreams an agent looks past for one that it may have. Each costs a microsecond or two whenever the
 * agent is free.
 */
const MOST_PASSED = 1_000;

/** Whether an agent takes what is next in order, leaves it to others and goes on, or waits until others have run it. */
export type Passing = 'take' | 'pass' | 'wait';

/**
 * Takes for an agent what is first in order among what it may have, past what is left to others. Undefined when there
 * is nothing, and when more than a thousand others come before it.
 */
export function takeOwn(
  ready: ReadyQueue,
  agent: number,
  judge: (index: number) => Passing,
): number | undefined {
  const passed: number[] = [];
  let own: number | undefined;
  while (own === undefined && passed.length < MOST_PASSED) {
    const index = ready.take(agent, passed.length > 0);
    if (index === undefined) break;
    const passing = judge(index);
    if (passing === 'take') own = index;
    else {
      ready.release(index);
      passed.push(index);
      if (passing === 'wait') break;
    }
  }
  for (const index of passed) ready.add(index);
  return own;
}
