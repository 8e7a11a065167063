import { resolvePaths } from '../../app/paths.ts';
import { prepare } from '../../app/prepare.ts';
import { DEFAULTS } from '../../app/defaults.ts';
import { formatPlan } from '../../plan/render.ts';
import type { PlanArguments } from '../commands/plan.ts';
import { readProject } from '../config.ts';
import { print } from '../print.ts';

/** Prints the plan. Exit code 0, or 1 when something can't run. @throws UsageError for the configuration file */
export async function plan(argv: PlanArguments): Promise<number> {
  await readProject(process.cwd());
  const paths = resolvePaths({
    cwd: process.cwd(),
    workstreams: argv.workstreams,
    state: argv.state,
    reports: DEFAULTS.reports,
  });
  const { id: selected, withDependencies, workspace = null } = argv;
  const prepared = prepare({ select: selected, withDependencies, workspace }, paths);
  await print(formatPlan(prepared.plan, argv.format));
  return prepared.plan.broken.length === 0 ? 0 : 1;
}
