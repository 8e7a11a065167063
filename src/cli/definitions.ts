/** How every command is called, by name. */
import { agentsDefinition } from './commands/agents.ts';
import { backlogDefinition } from './commands/backlog.ts';
import { dashboardDefinition } from './commands/dashboard.ts';
import { errorsDefinition } from './commands/errors.ts';
import { feedbackDefinition } from './commands/feedback.ts';
import { compareDefinition } from './commands/history/compare.ts';
import { flakyDefinition } from './commands/history/flaky.ts';
import { patternsDefinition } from './commands/history/patterns.ts';
import { trendsDefinition } from './commands/history/trends.ts';
import { whyDefinition } from './commands/history/why.ts';
import { initDefinition } from './commands/init.ts';
import { logsDefinition } from './commands/logs.ts';
import { planDefinition } from './commands/plan.ts';
import { prDefinition } from './commands/pr.ts';
import { pruneDefinition } from './commands/prune.ts';
import { reportDefinition } from './commands/report.ts';
import { resultsDefinition } from './commands/results.ts';
import { runDefinition } from './commands/run.ts';
import { runsDefinition } from './commands/runs.ts';
import { showDefinition } from './commands/show.ts';
import { statusDefinition } from './commands/status.ts';
import { retryDefinition, stopDefinition } from './commands/stop.ts';
import { syncDefinition } from './commands/sync.ts';
import { tuneDefinition } from './commands/tune.ts';
import { validateDefinition } from './commands/validate.ts';
import { workerDefinition } from './commands/worker.ts';
import { workersDefinition } from './commands/workers.ts';
import { worktreesDefinition } from './commands/worktrees.ts';

export const definitions = {
  run: runDefinition,
  validate: validateDefinition,
  plan: planDefinition,
  status: statusDefinition,
  runs: runsDefinition,
  show: showDefinition,
  logs: logsDefinition,
  stop: stopDefinition,
  retry: retryDefinition,
  results: resultsDefinition,
  errors: errorsDefinition,
  patterns: patternsDefinition,
  agents: agentsDefinition,
  backlog: backlogDefinition,
  compare: compareDefinition,
  flaky: flakyDefinition,
  trends: trendsDefinition,
  why: whyDefinition,
  report: reportDefinition,
  dashboard: dashboardDefinition,
  worktrees: worktreesDefinition,
  prune: pruneDefinition,
  sync: syncDefinition,
  pr: prDefinition,
  feedback: feedbackDefinition,
  worker: workerDefinition,
  workers: workersDefinition,
  tune: tuneDefinition,
  init: initDefinition,
};

/** The words that may follow `millrace`, for suggestions. */
export const commandNames: readonly string[] = [...Object.keys(definitions), 'completion'];
