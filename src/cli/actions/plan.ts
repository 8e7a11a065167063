import { forecast, mayComplete } from '../../app/forecast/forecast.ts';
import { type CoordinatorOptions, parseOptions } from '../../app/options.ts';
import { prepareRun } from '../../app/prepare-run.ts';
import { formatPlan, type PlanFormat } from '../../plan/render.ts';
import type { PlanArguments } from '../commands/plan.ts';
import { readProject } from '../config.ts';
import { givenOptions } from '../given-options.ts';
import { print } from '../standard-output.ts';

/** Prints the plan of a run with these options. @throws UsageError for the configuration file, Refusal as the run would */
export async function plan(argv: PlanArguments): Promise<number> {
  return printPlan(givenOptions(argv, process.argv.slice(2)), argv.format);
}

/** Exit code 0, or 1 when it is certain that something will not complete. */
export async function printPlan(given: CoordinatorOptions, format: PlanFormat): Promise<number> {
  const foreseen = await forecast(
    prepareRun(parseOptions({ ...given, project: await readProject(process.cwd()) })),
  );
  await print(formatPlan(foreseen, format));
  return mayComplete(foreseen) ? 0 : 1;
}
