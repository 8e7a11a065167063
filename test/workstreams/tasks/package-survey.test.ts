import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import reportPackages from '../../../workstreams/tasks/package-report.ts';
import surveyPackages, { surveyOutputSchema } from '../../../workstreams/tasks/package-survey.ts';
import { writeFiles } from '../../kit/command.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';
import { makeContext } from '../make-context.ts';

function workspace(): string {
  const folder = temporaryFolder();
  const manifest = (name: string, more: object) => ({ name, version: '1.0.0', license: 'MIT', ...more });
  writeFiles(folder, {
    'node_modules/app/package.json': manifest('app', {
      type: 'module',
      dependencies: { base: '1', absent: '1' },
    }),
    'node_modules/app/index.js': 'export {};'.repeat(1000),
    'node_modules/app/node_modules/base/package.json': manifest('base', { version: '2.0.0' }),
    'node_modules/base/package.json': manifest('base', { license: 'ISC' }),
    'node_modules/dual/package.json': manifest('dual', {
      exports: { import: './x.mjs' },
      dependencies: { base: '1' },
    }),
  });
  return folder;
}

const survey = async (folder: string, shard: number, max_megabytes = 1) => {
  const input = { shard, of: 2, max_megabytes };
  return surveyOutputSchema.parse((await surveyPackages(input, makeContext({ workspace: folder }))).output);
};

test('each shard measures its own packages, without those inside them', async () => {
  const folder = workspace();
  const [first, second] = [await survey(folder, 1), await survey(folder, 2)];
  expect(first.packages.map(({ name }) => name)).toEqual(['app', 'base']);
  expect(second.packages.map(({ name, version }) => `${name} ${version}`)).toEqual([
    'dual 1.0.0',
    'base 2.0.0',
  ]);
  expect(first.packages[0]).toEqual({
    name: 'app',
    version: '1.0.0',
    license: 'MIT',
    modules: 'ESM',
    files: 2,
    kilobytes: 10.1,
    gzip_kilobytes: Number((gzipSync('export {};'.repeat(1000), { level: 9 }).length / 1e3).toFixed(1)),
    requires: 'absent base',
  });
  expect(second.packages[0]).toMatchObject({ modules: 'ESM', gzip_kilobytes: 0 });
});

test('no more is compressed than the limit allows', async () => {
  const { packages } = await survey(workspace(), 1, 0.005);
  expect(packages.map(({ gzip_kilobytes }) => gzip_kilobytes)).toEqual([null, 0]);
});

test('the report combines all shards', async () => {
  const folder = workspace();
  const dependencies = { one: await survey(folder, 1), two: await survey(folder, 2) };
  const { output } = await reportPackages({ top: 2 }, makeContext({ dependencies }));
  expect(output).toMatchObject({
    packages: 4,
    in_several_versions: 1,
    megabytes: 0,
    percent_esm: 50,
    largest: [{ name: 'app', version: '1.0.0', kilobytes: 10.1, files: 2 }, { name: 'dual' }],
    most_relied_upon: [
      { name: 'base', needed_by: 2 },
      { name: 'app', needed_by: 0 },
    ],
    licenses: [
      { license: 'MIT', packages: 3 },
      { license: 'ISC', packages: 1 },
    ],
  });
});
