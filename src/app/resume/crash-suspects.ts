/** Which workstreams may have ended the process of their run, and what becomes of them when the run goes on. */
import { type Death, describeDeath } from '../../domain/failure-message.ts';
import type { EarlierRun } from '../../domain/earlier-run.ts';
import type { Failure } from '../../domain/failure.ts';
import type { Plan } from '../../domain/plan.ts';
import type { Workstream } from '../../domain/workstream.ts';
import { nameSome } from '../../text/format.ts';

/** Deaths of one run after which nothing is executed in its own process any more. */
const ALL_APART_AFTER = 5;

/** How the process died that the run goes on from. */
export interface AfterDeath extends Death {
  /** How many processes of the run have died in all. */
  deaths: number;
}

export interface SuspectPlan {
  plan: Plan;
  /** Why those are not run again that were alone in hand and ended the run's process once more, by id. */
  crashed: ReadonlyMap<string, Failure>;
  notices: string[];
}

/**
 * What was in hand at a death is suspected: it is run alone, in a process of its own. One that was in hand alone when
 * the run's process died again is the one that does it, and is not run any more.
 * @param after null where the run was ended from outside: then nobody is newly suspected.
 */
export function isolateSuspects(earlier: EarlierRun, plan: Plan, after: AfterDeath | null): SuspectPlan {
  const inHand = new Set(after === null ? [] : earlier.inHand);
  const crashed = new Map<string, Failure>();
  const alone: string[] = [];
  const workstreams = plan.workstreams.map((workstream) => {
    const { id } = workstream;
    const before = earlier.deaths.get(id) ?? 0;
    if (after !== null && inHand.has(id) && before > 0) {
      crashed.set(id, crashedFailure(after));
      return workstream;
    }
    if (before > 0 || inHand.has(id)) {
      alone.push(id);
      return apart({ ...workstream, parallelOk: false });
    }
    return after !== null && after.deaths >= ALL_APART_AFTER ? apart(workstream) : workstream;
  });
  return {
    plan: { ...plan, workstreams },
    crashed,
    notices: after === null ? [] : noticesOf(after, alone, crashed),
  };
}

const apart = (workstream: Workstream): Workstream => ({ ...workstream, isolation: 'process' });

function crashedFailure({ exitCode, signal }: AfterDeath): Failure {
  return {
    reason: 'process-crashed',
    exitCode,
    signal,
    detail:
      'that was the process of the whole run, for the second time while this workstream was in hand, now as the only one and with a process of its own. It seems to end processes that are not its own.',
    tail: '',
    log: null,
  };
}

function noticesOf(after: AfterDeath, alone: readonly string[], crashed: SuspectPlan['crashed']): string[] {
  const how = `The process of the run ${describeDeath(after)}`;
  const notices: string[] = [];
  if (crashed.size > 0) {
    notices.push(`${how}, again while ${nameSome([...crashed.keys()])} was in hand: it is not run any more.`);
  } else if (alone.length === 0) {
    notices.push(`${how} while nothing is known to have been in hand. The run goes on.`);
  }
  if (alone.length > 0) {
    notices.push(
      alone.length === 1
        ? `${crashed.size > 0 ? 'A process of the run died' : how} while ${nameSome(alone)} was in hand: it is run again alone, in a process of its own.`
        : `${crashed.size > 0 ? 'A process of the run died' : how} while ${nameSome(alone)} were in hand: they are run again one at a time, each in a process of its own.`,
    );
  }
  if (after.deaths >= ALL_APART_AFTER) {
    notices.push(
      `Processes of the run died ${after.deaths} times: everything that is left has a process of its own.`,
    );
  }
  return notices;
}
