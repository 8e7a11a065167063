import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { globSync } from 'tinyglobby';
import { z } from 'zod';

/** What of a package.json is of interest here; anything malformed counts as not said. */
const manifestSchema = z.object({
  name: z.string().catch(''),
  version: z.string().catch(''),
  description: z.string().catch(''),
  license: z
    .union([z.string(), z.object({ type: z.string() }).transform(({ type }) => type)])
    .catch('not said'),
  type: z.string().catch('commonjs'),
  exports: z.unknown().optional(),
  dependencies: z.record(z.string(), z.string()).catch({}),
});
export type Manifest = z.infer<typeof manifestSchema>;

/** The folders of all installed packages, those inside other packages too, sorted by path. */
export function packageFolders(workspace: string): string[] {
  const manifests = globSync('node_modules/**/package.json', { cwd: workspace, followSymbolicLinks: false });
  return manifests
    .filter((path) => /(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/@]+\/package\.json$/.test(path))
    .map((path) => path.slice(0, -'/package.json'.length))
    .toSorted();
}

/** The package.json of an installed package, which npm has been able to read: with or without a byte order mark. */
export function readManifest(workspace: string, folder: string): Manifest {
  const text = readFileSync(join(workspace, folder, 'package.json'), 'utf8');
  return manifestSchema.parse(JSON.parse(text.replace(/^\uFEFF/, '')));
}
