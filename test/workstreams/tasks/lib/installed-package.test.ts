import { expect, test } from 'vitest';
import { packageFolders, readManifest } from '../../../../workstreams/tasks/lib/installed-package.ts';
import { writeFiles } from '../../../kit/command.ts';
import { temporaryFolder } from '../../../kit/temporary-folder.ts';

test('finds packages, scoped and nested, and no other package.json', () => {
  const folder = temporaryFolder();
  writeFiles(folder, {
    'node_modules/b/package.json': {},
    'node_modules/b/node_modules/a/package.json': {},
    'node_modules/b/test/fixture/package.json': {},
    'node_modules/@scope/c/package.json': {},
    'node_modules/@scope/c/esm/package.json': {},
    'package.json': {},
  });
  expect(packageFolders(folder)).toEqual([
    'node_modules/@scope/c',
    'node_modules/b',
    'node_modules/b/node_modules/a',
  ]);
});

test('what a manifest does not say, or says wrongly, has a default', () => {
  const folder = temporaryFolder();
  const description = 'With a byte order mark';
  const modern = {
    name: 'new',
    version: '1.0.0',
    description,
    type: 'module',
    dependencies: { old: '^1.0.0' },
  };
  writeFiles(folder, {
    'old/package.json': { name: 'old', version: 1, license: { type: 'MIT' }, dependencies: [] },
    'new/package.json': `\uFEFF${JSON.stringify(modern)}`,
  });
  expect(readManifest(folder, 'old')).toEqual({
    name: 'old',
    version: '',
    description: '',
    license: 'MIT',
    type: 'commonjs',
    dependencies: {},
  });
  expect(readManifest(folder, 'new')).toEqual({
    name: 'new',
    version: '1.0.0',
    description: 'With a byte order mark',
    license: 'not said',
    type: 'module',
    dependencies: { old: '^1.0.0' },
  });
});
