/** Every command with its action. Definitions are loaded at once, actions when they are called. */
import { bind } from './command.ts';
import { definitions } from './definitions.ts';

export const commands = [
  bind(definitions.run, async (argv) => (await import('./actions/run.ts')).run(argv)),
  bind(definitions.validate, async (argv) => (await import('./actions/validate.ts')).validate(argv)),
  bind(definitions.plan, async (argv) => (await import('./actions/plan.ts')).plan(argv)),
  bind(definitions.status, async (argv) => (await import('./actions/status.ts')).status(argv)),
  bind(definitions.runs, async (argv) => (await import('./actions/runs.ts')).runs(argv)),
  bind(definitions.show, async (argv) => (await import('./actions/show.ts')).show(argv)),
  bind(definitions.errors, async (argv) => (await import('./actions/errors.ts')).errors(argv)),
  bind(definitions.agents, async (argv) => (await import('./actions/agents.ts')).agents(argv)),
  bind(definitions.report, async (argv) => (await import('./actions/report.ts')).report(argv)),
  bind(definitions.worktrees, async (argv) => (await import('./actions/worktrees.ts')).worktrees(argv)),
  bind(definitions.prune, async (argv) => (await import('./actions/prune.ts')).prune(argv)),
  bind(definitions.tune, async (argv) => (await import('./actions/tune.ts')).tune(argv)),
  bind(definitions.init, async (argv) => (await import('./actions/init.ts')).init(argv)),
];
