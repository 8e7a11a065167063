import { initial } from './001-initial.ts';
import { liveStates } from './002-live-states.ts';
import { testCases } from './003-test-cases.ts';
import { tools } from './004-tools.ts';
import { sessions } from './005-sessions.ts';
import { crashes } from './006-crashes.ts';
import { agentsOverTime } from './007-agents-over-time.ts';
import { locks } from './008-locks.ts';
import { failures } from './009-failures.ts';
import { plans } from './010-plans.ts';
import { patterns } from './011-patterns.ts';
import { origins } from './012-origins.ts';
import { notedResults } from './013-noted-results.ts';
import { sweeps } from './014-sweeps.ts';
import { usage } from './015-usage.ts';
import { cache } from './016-cache.ts';
import { github } from './019-github.ts';
import { acting } from './020-acting.ts';
import { parkedTools } from './021-parked-tools.ts';
import { mergedTests } from './022-merged-tests.ts';
import { queueRuns } from './024-queue-runs.ts';
import { attemptsInHand } from './026-attempts-in-hand.ts';
import { keptWork } from './027-kept-work.ts';
import { reusedIds } from './028-reused-ids.ts';
import { mergeChanges } from './029-merge-changes.ts';

/** SQL of every migration; the one at index i takes a database from version i to i + 1. Never changed, only added to. */
export const migrations: readonly string[] = [
  initial,
  liveStates,
  testCases,
  tools,
  sessions,
  crashes,
  agentsOverTime,
  locks,
  failures,
  plans,
  patterns,
  origins,
  notedResults,
  sweeps,
  usage,
  cache,
  github,
  acting,
  parkedTools,
  queueRuns,
  attemptsInHand,
  mergedTests,
  reusedIds,
  keptWork,
  mergeChanges,
];
