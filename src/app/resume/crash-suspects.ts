/** Which workstreams may have ended the process of their run, and what becomes of them when the run goes on. */
import type { Failure } from '../../domain/failure.ts';
import { type Death, describeDeath } from '../../domain/failure-message.ts';
import type { Plan } from '../../domain/plan.ts';
import { copyOf, type Workstream } from '../../domain/workstream.ts';
import type { StoredRun } from '../../store/read/earlier-run.ts';
import { nameSome } from '../../text/format.ts';

/** Deaths of one run after which nothing is executed in its own process any more. */
const ALL_APART_AFTER = 5;

/** How the process of a run died. */
export interface RunCrash extends Death {
  /** How many processes of the run have died in all. */
  deaths: number;
}

/** What is done now because of that. */
interface CrashPlan {
  plan: Plan;
  /** Why workstreams that were running alone when the process died again are not run any more, by id. */
  crashed: ReadonlyMap<string, Failure>;
  notices: string[];
}

/**
 * A workstream that was running at a death is suspected: it is run again alone, in a process of its own. One that was
 * running alone when the run's process died again is the cause, and is not run any more.
 * @param after null where the run was ended from outside: then no workstream is newly suspected.
 */
export function isolateSuspects(earlier: StoredRun, plan: Plan, after: RunCrash | null): CrashPlan {
  const running = new Set(after === null ? [] : earlier.running);
  const crashed = new Map<string, Failure>();
  const alone: string[] = [];
  const workstreams = plan.workstreams.map((workstream) => {
    const { id } = workstream;
    const before = earlier.deaths.get(id) ?? 0;
    if (after !== null && running.has(id) && before > 0) {
      crashed.set(id, crashedFailure(after));
      return workstream;
    }
    if (before > 0 || running.has(id)) {
      alone.push(id);
      return copyOf(workstream, { parallelOk: false, isolation: 'process' });
    }
    return after !== null && after.deaths >= ALL_APART_AFTER ? apart(workstream) : workstream;
  });
  return {
    plan: { ...plan, workstreams },
    crashed,
    notices: after === null ? [] : noticesOf(after, alone, crashed),
  };
}

const apart = (workstream: Workstream): Workstream => copyOf(workstream, { isolation: 'process' });

function crashedFailure({ exitCode, signal }: RunCrash): Failure {
  return {
    reason: 'process-crashed',
    exitCode,
    signal,
    detail:
      'that was the process of the whole run, for the second time while this workstream was running, this time as the only one and in a process of its own. It seems to end processes that are not its own.',
    tail: '',
    log: null,
  };
}

function noticesOf(after: RunCrash, alone: readonly string[], crashed: CrashPlan['crashed']): string[] {
  const how = `The process of the run ${describeDeath(after)}`;
  const notices: string[] = [];
  if (crashed.size > 0) {
    notices.push(`${how}, again while ${nameSome([...crashed.keys()])} was running: it is not run any more.`);
  } else if (alone.length === 0) {
    notices.push(`${how} while no workstream is known to have been running. The run goes on.`);
  }
  if (alone.length > 0) {
    notices.push(
      alone.length === 1
        ? `${crashed.size > 0 ? 'A process of the run died' : how} while ${nameSome(alone)} was running: it is run again alone, in a process of its own.`
        : `${crashed.size > 0 ? 'A process of the run died' : how} while ${nameSome(alone)} were running: they are run again one at a time, each in a process of its own.`,
    );
  }
  if (after.deaths >= ALL_APART_AFTER) {
    notices.push(
      `Processes of the run died ${after.deaths} times: everything that is left has a process of its own.`,
    );
  }
  return notices;
}
