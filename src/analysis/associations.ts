/** What an error pattern goes with: a machine, a tool, a model, an agent, a commit, an hour of the day. */
import {
  type Association,
  FACTORS,
  type ResultCircumstances,
  type TimedRun,
} from '../domain/history/history.ts';
import { oneLine } from '../text/printable.ts';
import { benjaminiHochberg, fisher } from './statistics/proportions.ts';

/** Among the associations that are told of one factor, this share is chance. */
const ASSOCIATION_Q = 0.05;

/** Of a pattern that was seen less often nothing is told. */
const FEWEST_FAILURES = 3;

/** Names of thread slots: which of them takes a workstream is chance, and all of them are the same. */
const SLOT = /^agent-\d+$/;

/** One case of what is counted: the value that it has and whether it failed so. */
interface Unit {
  value: string;
  failed: boolean;
}

/**
 * The factors with which patterns are seen more often than without, by Fisher's exact test. Benjamini and Hochberg's
 * correction at 5 % is over all tests of all patterns and factors; a value that is too rare to reach 5 % however it came
 * is not tested and does not count (Tarone 1990, Biometrics 46, 515–522; Gilbert 2005, Applied Statistics 54, 143–158).
 *
 * What happens together is counted once: for machine, commit and hour a run counts as failed where any workstream failed
 * so; for tool and model a workstream counts as failed where any of its runs did; for an agent each result counts. Only runs
 * between the first and the last failure count, so that nothing goes with a machine because that was there at the time of a
 * break. Agents are compared only where they have names of their own.
 * @param runs the oldest first.
 */
export function associations(
  runs: readonly TimedRun[],
  results: readonly ResultCircumstances[],
): Association[] {
  const seen = new SeenResults(runs, results);
  const tested = [...seen.failures]
    .filter(([, failed]) => failed.length >= FEWEST_FAILURES)
    .flatMap(([patternId, failed]) => {
      const cases = new PatternCases(patternId, failed, seen);
      return FACTORS.flatMap((factor) => cases.test(factor));
    });
  const adjusted = benjaminiHochberg(tested.map(({ p }) => p));
  return tested.filter((each, index) => (adjusted[index] ?? 1) <= ASSOCIATION_Q && isMoreOften(each));
}

/** "goes with machine `build-7`: in 9 of 10 runs there, in 1 of 40 elsewhere" */
export function describeAssociation({ factor, value, unit, here, elsewhere }: Association): string {
  const shown = factor === 'commit' ? value.slice(0, 12) : value;
  const name = `\`${oneLine(shown.replaceAll('`', "'"), 80)}\``;
  const counts = (there: string): string =>
    `in ${here.failed} of ${here.total} ${unit}s ${there}, in ${elsewhere.failed} of ${elsewhere.total} `;
  if (factor === 'hour') return `goes with the hour from ${value}:00 UTC: ${counts('then')}at other times`;
  if (unit === 'run') return `goes with ${factor} ${name}: ${counts('there')}elsewhere`;
  return `goes with ${factor} ${name}: ${counts('with it')}without`;
}

const isMoreOften = ({ here, elsewhere }: Association): boolean =>
  here.failed * elsewhere.total > elsewhere.failed * here.total;

/** All results, as the cases of each pattern are taken from them. */
class SeenResults {
  readonly runs: readonly TimedRun[];
  /** Those that failed, by pattern. */
  readonly failures = new Map<string, ResultCircumstances[]>();
  readonly byWorkstream: ReadonlyMap<string, readonly ResultCircumstances[]>;
  /** What each workstream that used one used last. */
  readonly used = { tool: new Map<string, string>(), model: new Map<string, string>() };

  constructor(runs: readonly TimedRun[], results: readonly ResultCircumstances[]) {
    this.runs = runs;
    this.byWorkstream = groupBy(results, ({ workstreamId }) => workstreamId);
    for (const each of results) {
      for (const patternId of each.patternIds) {
        const failed = this.failures.get(patternId);
        if (failed === undefined) this.failures.set(patternId, [each]);
        else failed.push(each);
      }
      if (each.tool !== null) this.used.tool.set(each.workstreamId, each.tool);
      if (each.model !== null) this.used.model.set(each.workstreamId, each.model);
    }
  }
}

/** The cases in which one pattern was seen or could have been. */
class PatternCases {
  readonly #patternId: string;
  readonly #failed: readonly ResultCircumstances[];
  readonly #seen: SeenResults;
  /** Results of the workstreams that ever failed so, between its first and its last failure. */
  readonly #exposed: readonly ResultCircumstances[];

  constructor(patternId: string, failed: readonly ResultCircumstances[], seen: SeenResults) {
    this.#patternId = patternId;
    this.#failed = failed;
    this.#seen = seen;
    const workstreams = new Set(failed.map(({ workstreamId }) => workstreamId));
    const first = failed.reduce((least, { position }) => Math.min(least, position), Number.POSITIVE_INFINITY);
    const last = failed.reduce((most, { position }) => Math.max(most, position), 0);
    this.#exposed = [...workstreams]
      .flatMap((id) => seen.byWorkstream.get(id) ?? [])
      .filter(({ position }) => position >= first && position <= last);
  }

  /** One test for each value of the factor that could pass it. */
  test(factor: Association['factor']): Association[] {
    const [unit, units] = this.#units(factor);
    const failed = units.filter((each) => each.failed).length;
    const byValue = groupBy(units, ({ value }) => value);
    if (byValue.size < 2 || failed === 0 || failed === units.length) return [];
    return [...byValue].flatMap(([value, same]) => {
      const here = { failed: same.filter((each) => each.failed).length, total: same.length };
      if (leastP(here.total, failed, units.length) > ASSOCIATION_Q) return [];
      const elsewhere = { failed: failed - here.failed, total: units.length - here.total };
      const p = fisher({ here: fourfold(here), elsewhere: fourfold(elsewhere) });
      return [{ patternId: this.#patternId, factor, value, unit, here, elsewhere, p }];
    });
  }

  #units(factor: Association['factor']): [Association['unit'], Unit[]] {
    switch (factor) {
      case 'machine':
        return ['run', this.#ofRuns(({ machine }) => machine)];
      case 'commit':
        return ['run', this.#ofRuns(({ run }) => run.commit)];
      case 'hour':
        return ['run', this.#ofRuns(({ run }) => String(Number(run.at.slice(11, 13))))];
      case 'tool':
      case 'model':
        return ['workstream', this.#ofWorkstreams(factor)];
      case 'agent':
        return ['result', this.#ofResults()];
    }
  }

  #ofRuns(valueOf: (run: TimedRun) => string | null): Unit[] {
    const failedAt = new Map<number, boolean>();
    for (const each of this.#exposed)
      failedAt.set(each.position, this.#isFailure(each) || failedAt.get(each.position) === true);
    return [...failedAt].flatMap(([position, failed]) => {
      const run = this.#seen.runs[position];
      return unitsOf(run === undefined ? null : valueOf(run), failed);
    });
  }

  /** Of all workstreams that use a tool, each with what it used when it failed so, or else with what it used last. */
  #ofWorkstreams(factor: 'tool' | 'model'): Unit[] {
    const failing = new Map<string, string>();
    for (const { workstreamId, [factor]: value } of this.#failed)
      if (value !== null) failing.set(workstreamId, value);
    return [...this.#seen.used[factor]].map(([id, last]) => ({
      value: failing.get(id) ?? last,
      failed: failing.has(id),
    }));
  }

  #ofResults(): Unit[] {
    return this.#exposed.flatMap((each) =>
      SLOT.test(each.agentId) ? [] : unitsOf(each.agentId, this.#isFailure(each)),
    );
  }

  #isFailure({ patternIds }: ResultCircumstances): boolean {
    return patternIds.includes(this.#patternId);
  }
}

/** The least p that Fisher's test can have for a value of so many cases, where so many of all fail: all that can are here. */
function leastP(here: number, failed: number, total: number): number {
  const most = Math.min(here, failed);
  return fisher({
    here: fourfold({ failed: most, total: here }),
    elsewhere: fourfold({ failed: failed - most, total: total - here }),
  });
}

const unitsOf = (value: string | null, failed: boolean): Unit[] =>
  value === null ? [] : [{ value, failed }];

const fourfold = ({ failed, total }: { failed: number; total: number }) => ({
  with: failed,
  without: total - failed,
});

function groupBy<T>(elements: readonly T[], keyOf: (element: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const element of elements) {
    const group = groups.get(keyOf(element));
    if (group === undefined) groups.set(keyOf(element), [element]);
    else group.push(element);
  }
  return groups;
}
