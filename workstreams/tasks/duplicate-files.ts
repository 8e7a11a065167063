import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { ModuleResult, StepContext } from '../../src/domain/step-context.ts';
import { createCheckpoint } from './lib/checkpoint.ts';
import { round } from './lib/round.ts';
import { fileSelectionSchema, type SelectedFile, selectFiles } from './lib/select-files.ts';
import { withoutModulesFolder } from './lib/without-modules-folder.ts';

const inputSchema = z.strictObject({ files: fileSelectionSchema, top: z.number().int().positive() });

/** Finds files with the same content by their SHA-256 and adds up the bytes that one copy of each would save. */
export default async function findDuplicates(input: unknown, context: StepContext): Promise<ModuleResult> {
  const { files: selection, top } = inputSchema.parse(input);
  const files = selectFiles(context.workspace, selection);
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  const checkpoint = createCheckpoint(context);
  const byHash = new Map<string, SelectedFile[]>();
  let hashed = 0;
  for (const file of files) {
    await checkpoint(hashed / total, `${Math.round(hashed / 1e6)} MB hashed, now ${file.path}`);
    const content = readFileSync(join(context.workspace, file.path));
    const hash = createHash('sha256').update(content).digest('hex');
    byHash.set(hash, [...(byHash.get(hash) ?? []), file]);
    hashed += file.bytes;
  }
  const groups = [...byHash.values()].filter((group) => group.length > 1).map(describeGroup);
  groups.sort((a, b) => b.wasted_kb - a.wasted_kb);
  const wasted = groups.reduce((sum, { wasted_kb }) => sum + wasted_kb, 0) / 1e3;
  context.log.info({ files: files.length, groups: groups.length }, 'hashed');
  const output = {
    files: files.length,
    megabytes: round(total / 1e6, 1),
    files_with_copies: groups.length,
    wasted_megabytes: round(wasted, 2),
    most_wasteful: groups.slice(0, top),
  };
  return { output };
}

function describeGroup(group: readonly SelectedFile[]) {
  const [first, second] = group;
  const bytes = first?.bytes ?? 0;
  return {
    wasted_kb: round((bytes * (group.length - 1)) / 1e3, 1),
    copies: group.length,
    each_kb: round(bytes / 1e3, 1),
    one: withoutModulesFolder(first?.path ?? ''),
    another: withoutModulesFolder(second?.path ?? ''),
  };
}
