import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { ModuleResult, StepContext } from '../../src/domain/step-context.ts';
import { type FunctionComplexity, functionComplexities } from './algorithms/cyclomatic-complexity.ts';
import { createCheckpoint } from './lib/checkpoint.ts';
import { round } from './lib/round.ts';
import { fileSelectionSchema, selectFiles } from './lib/select-files.ts';
import { withoutModulesFolder } from './lib/without-modules-folder.ts';

const inputSchema = z.strictObject({ files: fileSelectionSchema, top: z.number().int().positive() });

/** Upper ends of the classes of complexity that people usually tell apart. */
const CLASSES = [
  { complexity: '1 to 10', most: 10 },
  { complexity: '11 to 20', most: 20 },
  { complexity: '21 to 50', most: 50 },
  { complexity: 'over 50', most: Infinity },
];

/** Parses the selected JavaScript and ranks its functions by cyclomatic complexity. */
export default async function rankFunctions(input: unknown, context: StepContext): Promise<ModuleResult> {
  const { files: selection, top } = inputSchema.parse(input);
  const files = selectFiles(context.workspace, selection);
  const checkpoint = createCheckpoint(context);
  const functions: (FunctionComplexity & { file: string })[] = [];
  let unparsed = 0;
  for (const [i, { path }] of files.entries()) {
    await checkpoint(i / files.length, `${path}: ${functions.length} functions so far`);
    const found = tryFunctionComplexities(readFileSync(join(context.workspace, path), 'utf8'));
    if (found === null) unparsed += 1;
    else for (const each of found) functions.push({ ...each, file: withoutModulesFolder(path) });
  }
  context.log.info({ files: files.length, functions: functions.length, unparsed }, 'parsed');
  functions.sort((a, b) => b.complexity - a.complexity);
  const output = {
    files: files.length,
    not_javascript: unparsed,
    functions: functions.length,
    mean_complexity: round(
      functions.reduce((sum, { complexity }) => sum + complexity, 0) / functions.length,
      2,
    ),
    most_complex: functions.slice(0, top).map(({ name, complexity, lines, file, line }) => {
      return { complexity, lines, function: name, place: `${file}:${line}` };
    }),
    distribution: distribution(functions),
  };
  return { output, metrics: { mean_complexity: output.mean_complexity } };
}

/** Null for what the parser refuses: a package may hold templates and broken files on purpose. */
function tryFunctionComplexities(source: string): FunctionComplexity[] | null {
  try {
    return functionComplexities(source);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function distribution(functions: readonly FunctionComplexity[]): { complexity: string; functions: number }[] {
  return CLASSES.map(({ complexity, most }, i) => {
    const least = CLASSES[i - 1]?.most ?? 0;
    const members = functions.filter((each) => each.complexity > least && each.complexity <= most);
    return { complexity, functions: members.length };
  });
}
