/** From runs with several numbers of agents to a recommended one. Pure. */
import type { AgentsAdvice, TrialResult, TrialRun } from '../domain/tuning.ts';

/** More agents are worth it only where they gain more than this share. */
const CLOSE = 0.05;
/** Share of the memory that was left at the start which a run may use. */
const MEMORY_SHARE = 0.8;

/** By number of agents, fewest first: the medians of their runs, and how they compare. */
export function compareTrials(runs: readonly TrialRun[]): TrialResult[] {
  const counts = [...new Set(runs.map(({ agents }) => agents))].toSorted((a, b) => a - b);
  const measured = counts.map((agents) => medians(runs.filter((run) => run.agents === agents)));
  const [fewest] = measured;
  if (fewest === undefined) return [];
  return measured.map((trial) => {
    const speedup = fewest.throughput === 0 ? 0 : trial.throughput / fewest.throughput;
    return { ...trial, speedup, efficiency: (speedup * fewest.agents) / trial.agents };
  });
}

function medians(runs: TrialRun[]): Omit<TrialResult, 'speedup' | 'efficiency'> {
  const memory = runs.map(({ memoryBytes }) => memoryBytes).filter((bytes) => bytes !== null);
  return {
    agents: runs[0]?.agents ?? 0,
    runs,
    throughput: median(runs.map(({ completed, seconds }) => (seconds > 0 ? completed / seconds : 0))),
    memoryBytes: memory.length === 0 ? null : median(memory),
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [Math.floor((sorted.length - 1) / 2), Math.ceil((sorted.length - 1) / 2)];
  return ((sorted[low] ?? 0) + (sorted[high] ?? 0)) / 2;
}

/**
 * The knee of the curve: the fewest agents within 5 % of the best throughput, of those that memory allows; null where
 * nothing completed.
 * @param memoryBytes what was left when nothing ran; null where it is not known: then it bounds nothing.
 */
export function adviseAgents(
  trials: readonly TrialResult[],
  memoryBytes: number | null,
): AgentsAdvice | null {
  const allowance = memoryBytes === null ? Number.POSITIVE_INFINITY : memoryBytes * MEMORY_SHARE;
  const [fewest] = trials;
  const best = fastest(trials);
  if (fewest === undefined || best === undefined || best.throughput === 0) return null;
  const fitting = trials.filter(({ memoryBytes: used }) => (used ?? 0) <= allowance);
  const bestThatFits = fastest(fitting) ?? fewest;
  const enough = bestThatFits.throughput * (1 - CLOSE);
  const chosen = fitting.find(({ throughput }) => throughput >= enough) ?? fewest;
  const isShort = chosen.throughput < best.throughput * (1 - CLOSE);
  const reason = isShort ? 'memory' : chosen.agents === best.agents ? 'fastest' : 'enough';
  const isMost = reason === 'fastest' && trials.length > 1 && chosen === trials.at(-1);
  const explanation = explain(chosen, best, reason) + (isMost ? '; it is the most that was tried' : '');
  return { agents: chosen.agents, reason, explanation };
}

/** Of equals the one with fewer agents. */
function fastest(trials: readonly TrialResult[]): TrialResult | undefined {
  return trials.toSorted((a, b) => b.throughput - a.throughput)[0];
}

function explain(chosen: TrialResult, best: TrialResult, reason: AgentsAdvice['reason']): string {
  const behind = `${Math.round((1 - chosen.throughput / best.throughput) * 100)} %`;
  switch (reason) {
    case 'fastest':
      return 'no other number was faster, and with fewer agents more than 5 % would be lost';
    case 'enough':
      return `the fewest within 5 % of the best, which ${best.agents} reached; these are ${behind} behind`;
    case 'memory':
      return `${best.agents} would be faster (these are ${behind} behind), and would leave too little memory`;
  }
}
