/** What `millrace --help` loads: loading is nearly all of its time. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { millrace } from '../kit/command.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

interface Coverage {
  result: { url: string; functions: { functionName: string; ranges: { count: number }[] }[] }[];
}

test('help loads the parser of the command line, and nothing that runs or draws anything', async () => {
  const folder = temporaryFolder();
  const { code } = await millrace(folder, ['--help'], { NODE_V8_COVERAGE: join(folder, 'coverage') });
  expect(code).toBe(0);
  const [file = ''] = readdirSync(join(folder, 'coverage'));
  const { result }: Coverage = JSON.parse(readFileSync(join(folder, 'coverage', file), 'utf8'));
  const bundles = result.filter(({ url }) => url.endsWith('.bundle.cjs'));
  expect(bundles.map(({ url }) => basename(url))).toEqual(['cli.bundle.cjs']);
  // In a bundle, what evaluates a module has the module's path for a name.
  const evaluated = bundles.flatMap(({ functions }) =>
    functions.filter(({ ranges: [all] }) => (all?.count ?? 0) > 0).map(({ functionName }) => functionName),
  );
  expect(evaluated).toContain('src/cli/cli.ts');
  const packages = evaluated.map((name) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(name)?.[1]);
  expect([...new Set(packages.filter((name) => name !== undefined))].toSorted()).toEqual([
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
