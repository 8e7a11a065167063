/** What `millrace --help` loads: loading is nearly all of its time. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

/** The packages in a file of the build, and in everything that it imports statically. */
function packagesOf(entry: URL): Set<string> {
  const packages = new Set<string>();
  const seen = new Set<string>();
  const open = [entry];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (seen.has(file.href)) continue;
    seen.add(file.href);
    const text = readFileSync(fileURLToPath(file), 'utf8');
    for (const [, name = ''] of text.matchAll(/^\/\/ node_modules\/((?:@[^/]+\/)?[^/]+)\//gm))
      packages.add(name);
    for (const [, path = ''] of text.matchAll(/^(?:import|export|\})[^\n]*?"(\.[^"]+)";$/gm))
      open.push(new URL(path, file));
  }
  return packages;
}

test('help loads the parser of the command line, and nothing that runs or draws anything', () => {
  const packages = packagesOf(new URL('../../dist/src/unwatched.js', import.meta.url));
  expect([...packages].toSorted()).toEqual([
    'ansi-regex',
    'ansi-styles',
    'cliui',
    'escalade',
    'get-caller-file',
    'leven',
    'strip-ansi',
    'y18n',
    'yargs',
  ]);
});
