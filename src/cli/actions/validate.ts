import { existsSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { type CheckedFolder, checkFolder } from '../../app/prepare.ts';
import { Refusal } from '../../app/refusal.ts';
import { formatProblem, type Problem } from '../../domain/plan.ts';
import { plural } from '../../text/format.ts';
import { printable } from '../../text/printable.ts';
import { isTypeScript } from '../../typescript/resolve.ts';
import type { ValidateArguments } from '../commands/validate.ts';
import { readProject } from '../config.ts';
import { namesOf } from '../given-options.ts';
import { printJson, printText } from '../print.ts';

/**
 * Prints every problem of every file. Exit code 0 with warnings at most (with --strict only without any), 1 with errors,
 * 4 for an empty folder.
 * @throws UsageError for a configuration file that no run could use
 */
export async function validate(argv: ValidateArguments): Promise<number> {
  const { files, workstreams, containing, problems: found, modules } = await check(argv);
  if (argv.types) found.push(...(await problemsOfTypes(modules)));
  const problems = argv.strict ? found.map(asError) : found;
  if (files === 0) throw new Refusal(4, `There are no workstream files in ${resolve(argv.workstreams)}.`);
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  const warnings = problems.length - errors;
  if (argv.json) {
    await printJson({ version: 1, files, workstreams, errors, warnings, containing, problems });
  } else {
    const lines = problems.map(lineOf);
    const counts = `${plural(files, 'file')}, ${plural(workstreams, 'workstream')}: ${plural(errors, 'error')}, ${plural(warnings, 'warning')}`;
    await printText([...lines, counts].join('\n'));
  }
  return errors === 0 ? 0 : 1;
}

async function check(argv: ValidateArguments): Promise<CheckedFolder> {
  const project = await readProject(process.cwd());
  const { tool = null, workspace = null } = argv;
  const options = { project, tool, bestOf: namesOf('best-of', argv.bestOf), workspace };
  return checkFolder(resolve(argv.workstreams), process.cwd(), options);
}

/** A module that is missing is a problem already. */
async function problemsOfTypes(modules: readonly string[]): Promise<Problem[]> {
  const { checkTypes } = await import('../../typescript/check-types.ts');
  const there = modules.filter((module) => isTypeScript(module) && existsSync(module));
  return checkTypes(there).map(({ file, line, column, message }) => {
    const below = relative(process.cwd(), file);
    const shown = below.startsWith('..') ? file : below;
    return { severity: 'error', file: shown, line, column, path: '', message, workstreamId: null };
  });
}

const asError = (problem: Problem): Problem => ({ ...problem, severity: 'error' });

/** One line for one problem, also where the name of a file or a field holds a line end. */
function lineOf(problem: Problem): string {
  return printable(formatProblem(problem)).replaceAll('\n', String.raw`\u{a}`);
}
