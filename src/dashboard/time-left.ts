/**
 * How long the rest of a run takes, from how long its workstreams took so far. Those that are being executed are part of
 * what is known: each takes at least as long as it has taken by now. What is known is the survival function S of the
 * durations by Kaplan and Meier (1958), so that quick workstreams, which end first, do not count for all; beyond the
 * longest duration it falls exponentially, after Brown, Hollander and Korwar (1974), so that one which takes longer than
 * all before is never taken to be at its end, and at least by as much again as the longest of those is longer than all
 * that have ended. What is left of a workstream after t seconds is the mean residual life
 * E[D - t | D > t], the integral of S from t on divided by S(t).
 */
import type { TimeEstimate } from '../domain/dashboard/answers.ts';

/** Durations of a similar length. */
interface DurationGroup {
  n: number;
  /** Seconds of all of them. */
  sum: number;
}

/** Durations of what has ended, by the logarithm of their length: a bounded number of groups for any number of them. */
export type DurationGroups = Map<number, DurationGroup>;

/** Groups for each factor of e: two durations of one group differ by 8 % from its middle at most. */
export const GROUPS_PER_E = 6;
/** Shorter durations are of one group. */
export const LEAST_DURATION = 1e-6;

export function addDuration(groups: DurationGroups, seconds: number): void {
  const group = Math.floor(Math.log(Math.max(seconds, LEAST_DURATION)) * GROUPS_PER_E);
  const { n, sum } = groups.get(group) ?? { n: 0, sum: 0 };
  groups.set(group, { n: n + 1, sum: sum + seconds });
}

/** A workstream that is being executed: for how many seconds, and what part of it is done, where it says so. */
export interface Elapsed {
  elapsed: number;
  fraction: number | null;
}

interface Rest {
  waiting: number;
  running: readonly Elapsed[];
  agents: number;
}

/** What is left of a run, with about two standard deviations to each side; null where nothing is left or known. */
export function timeLeft(
  groups: DurationGroups,
  { waiting, running, agents }: Rest,
): Omit<TimeEstimate, 'basis'> | null {
  const count = [...groups.values()].reduce((all, { n }) => all + n, 0);
  if (count === 0 || waiting + running.length === 0) return null;
  const survival = new Survival(
    groups,
    running.map(({ elapsed }) => elapsed),
  );
  const { mean, variance } = survival;
  if (!Number.isFinite(mean) || mean <= 0) return null;
  const parts = running.map((each) => restOf(survival, each));
  const atOnce = Math.max(1, Math.min(agents, waiting + running.length));
  const last = lastToEnd(waiting === 0 ? parts : whenTheLastBegins(survival, atOnce));
  // What is worked off before the last one begins is shared by all agents; what is left then is not.
  const whole = parts.reduce((all, each) => all + each.mean, 0) + waiting * mean;
  const shared = waiting === 0 ? 0 : Math.max(0, whole - last.work) / atOnce;
  const seconds = Math.max(shared + last.mean, lastToEnd(parts).mean);
  // Of a sum of so many durations, of a mean that is known from so few, and of the last to end.
  const ofSum = (variance * waiting + (variance / count) * waiting * waiting) / (atOnce * atOnce);
  // Agents that are in step end together, at any moment of a duration.
  const ofStep = waiting === 0 ? 0 : (mean * mean) / 12;
  const spread = 2 * Math.sqrt(ofSum + ofStep + last.variance);
  return { seconds, low: Math.max(0, seconds - spread), high: seconds + spread };
}

/** A length of time that is not known: its mean, and how likely it is to be longer than any other. */
interface Uncertain {
  mean: number;
  exceeds: (seconds: number) => number;
}

/** How durations are distributed. */
class Survival {
  /** Durations at which something ended, ascending, from 0; S from each on, and the integral of S from each on. */
  readonly #at: number[] = [0];
  readonly #share: number[] = [1];
  readonly #beyond: number[];
  /** Mean of what is left beyond all that is known. */
  readonly #tail: number;
  readonly mean: number;
  readonly variance: number;

  /** @param censored how long those take already that have not ended. */
  constructor(groups: DurationGroups, censored: readonly number[]) {
    const ended = Array.from(groups.values(), ({ n, sum }) => ({ at: sum / n, n }));
    const all = [...ended, ...censored.map((at) => ({ at, n: 0 }))].toSorted(
      (a, b) => a.at - b.at || b.n - a.n,
    );
    let atRisk = ended.reduce((sum, { n }) => sum + n, 0) + censored.length;
    let share = 1;
    for (const { at, n } of all) {
      if (n > 0) {
        share *= 1 - n / atRisk;
        this.#at.push(at);
        this.#share.push(share);
      }
      atRisk -= Math.max(1, n);
    }
    const last = all.at(-1)?.at ?? 0;
    const longest = this.#at.at(-1) ?? 0;
    this.#tail = share > 0 && share < 1 ? Math.max(last / -Math.log(share), last - longest) : 0;
    if (share > 0) {
      this.#at.push(last);
      this.#share.push(share);
    }
    this.#beyond = this.#at.map(() => 0);
    let beyond = share * this.#tail;
    let squares = 2 * share * this.#tail * (last + this.#tail);
    for (let index = this.#at.length - 1; index >= 0; index -= 1) {
      this.#beyond[index] = beyond;
      const [from, to] = [this.#at[index - 1] ?? 0, this.#at[index] ?? 0];
      const before = this.#share[index - 1] ?? 0;
      beyond += before * (to - from);
      squares += before * (to * to - from * from);
    }
    this.mean = this.#beyond[0] ?? 0;
    this.variance = Math.max(0, squares - this.mean * this.mean);
  }

  /** The part of all durations that are longer. */
  exceeds(seconds: number): number {
    const index = this.#indexAt(seconds);
    const share = this.#share[index] ?? 0;
    if (index < this.#at.length - 1 || this.#tail === 0) return share;
    return share * Math.exp(-(seconds - (this.#at[index] ?? 0)) / this.#tail);
  }

  /** The integral of `exceeds` from there on. */
  beyond(seconds: number): number {
    const index = this.#indexAt(seconds);
    if (index === this.#at.length - 1) return this.exceeds(seconds) * this.#tail;
    return (this.#beyond[index] ?? 0) - (this.#share[index] ?? 0) * (seconds - (this.#at[index] ?? 0));
  }

  /** The last known duration that is not longer. */
  #indexAt(seconds: number): number {
    let [low, high] = [0, this.#at.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#at[middle] ?? 0) <= seconds) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** What is left of a workstream: what follows from what it says, or else its mean residual life. */
function restOf(survival: Survival, { elapsed, fraction }: Elapsed): Uncertain {
  if (fraction !== null && fraction > 0.01) {
    const rest = Math.max(0, elapsed * (1 - fraction)) / fraction;
    return { mean: rest, exceeds: (seconds) => (seconds < rest ? 1 : 0) };
  }
  const still = survival.exceeds(elapsed);
  return {
    mean: survival.beyond(elapsed) / still,
    exceeds: (seconds) => survival.exceeds(elapsed + seconds) / still,
  };
}

/**
 * What is left on all agents when one begins the last workstream: a whole duration of that, and of each other what renewal
 * theory says of a moment that has nothing to do with their beginnings (Cox, Renewal Theory, 1962).
 */
function whenTheLastBegins(survival: Survival, agents: number): Uncertain[] {
  const { mean, variance } = survival;
  const other: Uncertain = {
    mean: (variance + mean * mean) / (2 * mean),
    exceeds: (seconds) => survival.beyond(seconds) / mean,
  };
  const whole: Uncertain = { mean, exceeds: (seconds) => survival.exceeds(seconds) };
  return [whole, ...Array.from({ length: agents - 1 }, () => other)];
}

/** Steps of an integral, and how many lengths it is made of at most: more are taken for as many of their kinds. */
const STEPS = 256;
const MOST = 64;

/** When the last of several ends: the mean and the variance of the longest, and the work that all of them are. */
function lastToEnd(all: readonly Uncertain[]): { mean: number; variance: number; work: number } {
  const work = all.reduce((sum, { mean }) => sum + mean, 0);
  const every = Math.ceil(all.length / MOST);
  const some = all.filter((_, index) => index % every === 0);
  /** How likely it is that some go on for longer. */
  const exceeds = (seconds: number): number =>
    1 -
    some.reduce((none, each) => none * (1 - each.exceeds(seconds)), 1) **
      (all.length / Math.max(1, some.length));
  let most = Math.max(0, ...all.map(({ mean }) => mean));
  if (most === 0) return { mean: 0, variance: 0, work };
  while (exceeds(most) > 0.001) most *= 2;
  const step = most / STEPS;
  let mean = 0;
  let squares = 0;
  for (let index = 0; index < STEPS; index += 1) {
    const at = (index + 0.5) * step;
    const likely = exceeds(at);
    mean += likely * step;
    squares += 2 * at * likely * step;
  }
  return { mean, variance: Math.max(0, squares - mean * mean), work };
}
