import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { globSync } from 'tinyglobby';
import { z } from 'zod';
import type { ModuleResult, StepContext } from '../../src/domain/step-context.ts';
import { createCheckpoint } from './lib/checkpoint.ts';
import { type Manifest, packageFolders, readManifest } from './lib/installed-package.ts';
import { round } from './lib/round.ts';

const inputSchema = z.strictObject({
  /** Counted from 1. */
  shard: z.number().int().positive(),
  of: z.number().int().positive(),
  /** JavaScript of the whole shard that is compressed at most, by sorted path. */
  max_megabytes: z.number().positive(),
});

/** What is found out about one package. */
const packageSchema = z.object({
  name: z.string(),
  version: z.string(),
  license: z.string(),
  modules: z.enum(['ESM', 'CommonJS']),
  files: z.number(),
  kilobytes: z.number(),
  /** JavaScript as it would be downloaded; null where it was not measured. */
  gzip_kilobytes: z.number().nullable(),
  /** Names with a space between them. */
  requires: z.string(),
});
export type SurveyedPackage = z.infer<typeof packageSchema>;

/** What each shard gives to the workstream that combines them. */
export const surveyOutputSchema = z.object({
  packages: z.array(packageSchema),
});

/** Measures one share of the installed packages. */
export default async function surveyPackages(input: unknown, context: StepContext): Promise<ModuleResult> {
  const { shard, of, max_megabytes } = inputSchema.parse(input);
  const folders = packageFolders(context.workspace).filter((_, i) => i % of === shard - 1);
  const checkpoint = createCheckpoint(context);
  const packages: SurveyedPackage[] = [];
  let left = max_megabytes * 1e6;
  for (const [i, folder] of folders.entries()) {
    await checkpoint(i / folders.length, folder);
    const { javascript, ...sizes } = measureFolder(join(context.workspace, folder));
    const bytes = javascript.reduce((sum, { length }) => sum + length, 0);
    const gzip =
      bytes > left ? null : round(gzipSync(Buffer.concat(javascript), { level: 9 }).length / 1e3, 1);
    left -= gzip === null ? 0 : bytes;
    packages.push({ ...describe(readManifest(context.workspace, folder)), ...sizes, gzip_kilobytes: gzip });
  }
  context.log.info({ shard, packages: packages.length }, 'surveyed');
  packages.sort((a, b) => b.kilobytes - a.kilobytes || (a.name < b.name ? -1 : 1));
  const output: z.infer<typeof surveyOutputSchema> = { packages };
  return { output };
}

/** Files of a package, without those of packages inside it. */
function measureFolder(folder: string): { files: number; kilobytes: number; javascript: Buffer[] } {
  const options = { cwd: folder, ignore: ['**/node_modules/**'], followSymbolicLinks: false, dot: true };
  const paths = globSync('**', options).toSorted();
  const bytes = paths.reduce((sum, path) => sum + statSync(join(folder, path)).size, 0);
  const javascript = paths
    .filter((path) => /\.[cm]?js$/.test(path))
    .map((path) => readFileSync(join(folder, path)));
  return { files: paths.length, kilobytes: round(bytes / 1e3, 1), javascript };
}

function describe({ name, version, license, type, exports, dependencies }: Manifest) {
  const isModule = type === 'module' || (JSON.stringify(exports) ?? '').includes('"import"');
  return {
    name,
    version,
    license,
    modules: isModule ? ('ESM' as const) : ('CommonJS' as const),
    requires: Object.keys(dependencies).toSorted().join(' '),
  };
}
