/** A machine whose processors are shared evenly by the threads that are ready, in steps of a virtual clock. */
import type { Load } from '../../src/domain/scaling.ts';
import { decideScaling, SCALING_START, type ScalingState, startScaling } from '../../src/scaling/decide.ts';

const STEP = 0.005;
const INTERVAL = 0.25;
/** What a new thread computes before it works, in seconds. */
const START_UP = 0.05;

/** A workstream: what it does by turns, in seconds. */
export type Phases = readonly { does: 'compute' | 'wait'; seconds: number }[];

interface Agent {
  since: number;
  phases: { does: 'compute' | 'wait'; seconds: number }[];
}

export interface Simulated {
  seconds: number;
  /** Numbers of agents in the order of time. */
  counts: number[];
}

/** Runs all work on a fixed number of agents, or on one that follows the load. */
export function simulate(
  work: readonly Phases[],
  cores: number,
  agents: number | 'auto',
  max = 32,
): Simulated {
  const { start, policy } = startScaling({ cores, max, workstreams: work.length });
  const counts = [agents === 'auto' ? start.to : agents];
  const hands: Agent[] = [];
  let state: ScalingState = SCALING_START;
  let next = 0;
  let measured = { cpu: 0, wait: 0, since: 0 };
  let seen = 0;
  let lately: number | null = null;
  for (let step = 0; ; step += 1) {
    const now = step * STEP;
    const count = counts.at(-1) ?? 1;
    while (hands.length < count && next < work.length) {
      const isNew = hands.length + 1 > seen;
      if (isNew) seen = hands.length + 1;
      const phases = (work[next] ?? []).map((phase) => ({ ...phase }));
      hands.push({
        since: now,
        phases: isNew ? [{ does: 'compute', seconds: START_UP }, ...phases] : phases,
      });
      next += 1;
    }
    if (hands.length === 0) return { seconds: now, counts };
    if (agents === 'auto' && now - measured.since >= INTERVAL - STEP / 2) {
      const load: Load = {
        seconds: INTERVAL,
        cores,
        cpu: measured.cpu / INTERVAL,
        cpuWait: measured.wait / INTERVAL,
        totalCpu: measured.cpu / INTERVAL,
        throttled: null,
        coordinator: 0.05,
        memory: null,
      };
      const waiting = hands.length >= count ? work.length - next : 0;
      const decision = decideScaling(
        { ...load, agents: count, busy: hands.length, inChildren: 0, waiting, workstreamSeconds: lately },
        policy,
        state,
      );
      state = decision.state;
      measured = { cpu: 0, wait: 0, since: now };
      if (decision.change !== null) counts.push(decision.change.to);
    }
    const ready = hands.filter(({ phases }) => phases[0]?.does === 'compute').length;
    const share = ready === 0 ? 0 : Math.min(1, cores / ready);
    measured.cpu += ready * share * STEP;
    measured.wait += ready * (1 - share) * STEP;
    for (const hand of hands.splice(0)) {
      const [phase] = hand.phases;
      if (phase !== undefined) phase.seconds -= STEP * (phase.does === 'compute' ? share : 1);
      if (phase !== undefined && phase.seconds <= 1e-9) hand.phases.shift();
      if (hand.phases.length > 0) hands.push(hand);
      else lately = (lately ?? now - hand.since) * 0.9 + (now - hand.since) * 0.1;
    }
  }
}
