/** Every command with its action. Definitions are loaded at once, actions when they are called. */
import { bind } from './command.ts';
import { definitions } from './definitions.ts';

/** Does not compile while a definition has no action. */
export const commands: Record<keyof typeof definitions, ReturnType<typeof bind>> = {
  run: bind(definitions.run, async (argv) => (await import('./actions/run.ts')).run(argv)),
  validate: bind(definitions.validate, async (argv) =>
    (await import('./actions/validate.ts')).validate(argv),
  ),
  plan: bind(definitions.plan, async (argv) => (await import('./actions/plan.ts')).plan(argv)),
  status: bind(definitions.status, async (argv) => (await import('./actions/status.ts')).status(argv)),
  runs: bind(definitions.runs, async (argv) => (await import('./actions/runs.ts')).runs(argv)),
  show: bind(definitions.show, async (argv) => (await import('./actions/show.ts')).show(argv)),
  logs: bind(definitions.logs, async (argv) => (await import('./actions/logs.ts')).logs(argv)),
  stop: bind(definitions.stop, async (argv) => (await import('./actions/stop.ts')).stop(argv)),
  retry: bind(definitions.retry, async (argv) => (await import('./actions/stop.ts')).retry(argv)),
  results: bind(definitions.results, async (argv) => (await import('./actions/results.ts')).results(argv)),
  errors: bind(definitions.errors, async (argv) => (await import('./actions/errors.ts')).errors(argv)),
  patterns: bind(definitions.patterns, async (argv) =>
    (await import('./actions/history/patterns.ts')).patterns(argv),
  ),
  agents: bind(definitions.agents, async (argv) => (await import('./actions/agents.ts')).agents(argv)),
  backlog: bind(definitions.backlog, async (argv) => (await import('./actions/backlog.ts')).backlog(argv)),
  compare: bind(definitions.compare, async (argv) =>
    (await import('./actions/history/compare.ts')).compare(argv),
  ),
  flaky: bind(definitions.flaky, async (argv) => (await import('./actions/history/flaky.ts')).flaky(argv)),
  trends: bind(definitions.trends, async (argv) =>
    (await import('./actions/history/trends.ts')).trends(argv),
  ),
  why: bind(definitions.why, async (argv) => (await import('./actions/history/why.ts')).why(argv)),
  dashboard: bind(definitions.dashboard, async (argv) =>
    (await import('./actions/dashboard.ts')).dashboard(argv),
  ),
  report: bind(definitions.report, async (argv) => (await import('./actions/report.ts')).report(argv)),
  worktrees: bind(definitions.worktrees, async (argv) =>
    (await import('./actions/worktrees.ts')).worktrees(argv),
  ),
  prune: bind(definitions.prune, async (argv) => (await import('./actions/prune.ts')).prune(argv)),
  sync: bind(definitions.sync, async (argv) => (await import('./actions/sync.ts')).sync(argv)),
  pr: bind(definitions.pr, async (argv) => (await import('./actions/pr.ts')).pr(argv)),
  feedback: bind(definitions.feedback, async (argv) =>
    (await import('./actions/feedback.ts')).feedback(argv),
  ),
  worker: bind(definitions.worker, async (argv) => (await import('./actions/worker.ts')).worker(argv)),
  workers: bind(definitions.workers, async (argv) => (await import('./actions/workers.ts')).workers(argv)),
  tune: bind(definitions.tune, async (argv) => (await import('./actions/tune.ts')).tune(argv)),
  init: bind(definitions.init, async (argv) => (await import('./actions/init.ts')).init(argv)),
};
