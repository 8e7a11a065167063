/** Every command with its action. Definitions are loaded at once, actions when they are called. */
import { bind } from './command.ts';
import { agentsDefinition } from './commands/agents.ts';
import { errorsDefinition } from './commands/errors.ts';
import { initDefinition } from './commands/init.ts';
import { planDefinition } from './commands/plan.ts';
import { reportDefinition } from './commands/report.ts';
import { runDefinition } from './commands/run.ts';
import { runsDefinition } from './commands/runs.ts';
import { showDefinition } from './commands/show.ts';
import { statusDefinition } from './commands/status.ts';
import { validateDefinition } from './commands/validate.ts';

export const commands = [
  bind(runDefinition, async (argv) => (await import('./actions/run.ts')).run(argv)),
  bind(validateDefinition, async (argv) => (await import('./actions/validate.ts')).validate(argv)),
  bind(planDefinition, async (argv) => (await import('./actions/plan.ts')).plan(argv)),
  bind(statusDefinition, async (argv) => (await import('./actions/status.ts')).status(argv)),
  bind(runsDefinition, async (argv) => (await import('./actions/runs.ts')).runs(argv)),
  bind(showDefinition, async (argv) => (await import('./actions/show.ts')).show(argv)),
  bind(errorsDefinition, async (argv) => (await import('./actions/errors.ts')).errors(argv)),
  bind(agentsDefinition, async (argv) => (await import('./actions/agents.ts')).agents(argv)),
  bind(reportDefinition, async (argv) => (await import('./actions/report.ts')).report(argv)),
  bind(initDefinition, async (argv) => (await import('./actions/init.ts')).init(argv)),
];
