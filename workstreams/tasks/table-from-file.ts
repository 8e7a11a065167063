import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { ModuleResult, StepContext } from '../../src/domain/step-context.ts';

const inputSchema = z.strictObject({
  /** Path below the workspace of a text with one row a line and spaces between columns. */
  file: z.string(),
  columns: z.array(z.string()).min(1),
  /** Name of the table in the output. */
  name: z.string(),
});

/** Turns what a command before it wrote to a file into an output that dependents and reports can use. */
export default async function tableFromFile(input: unknown, context: StepContext): Promise<ModuleResult> {
  const { file, columns, name } = inputSchema.parse(input);
  const lines = readFileSync(join(context.workspace, file), 'utf8').trim().split('\n');
  const rows = lines.map((line) => {
    const cells = line.trim().split(/\s+/);
    return Object.fromEntries(columns.map((column, i) => [column, asNumber(cells[i] ?? '')]));
  });
  context.log.info({ file, rows: rows.length }, 'read');
  return { output: { [name]: rows }, filesModified: [file] };
}

const asNumber = (cell: string): number | string => (/^-?\d+(?:\.\d+)?$/.test(cell) ? Number(cell) : cell);
