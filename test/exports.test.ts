import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import * as millrace from '../src/index.ts';
import { cleanEnvironment, writeFiles } from './kit/command.ts';
import { temporaryFolder } from './kit/temporary-folder.ts';

test('the package exports these values and no others', () => {
  expect(Object.keys(millrace).toSorted()).toEqual([
    'ConsolidationDatabase',
    'MultiAgentWorkstreamCoordinator',
    'Refusal',
    'StoreError',
    'describeFailure',
    'documentSchemas',
    'failureSchema',
    'outcomeSchema',
    'stepSchema',
    'workstreamFileSchema',
  ]);
});

test('the example of the library in the README runs', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const example = /```js\n(\/\/ library\.mjs\n.*?)```/s.exec(readme)?.[1] ?? '';
  const folder = temporaryFolder();
  const index = fileURLToPath(new URL('../dist/src/index.js', import.meta.url));
  writeFileSync(join(folder, 'library.mjs'), example.replace("'millrace'", `'${index}'`));
  writeFiles(folder, {
    'workstreams/all.json': [
      { id: 'ws-good', steps: [{ run: 'true' }] },
      { id: 'ws-bad', steps: [{ run: 'exit 3' }] },
    ],
  });
  const node = [process.execPath, ['library.mjs']] as const;
  let output = '';
  try {
    execFileSync(...node, { cwd: folder, env: cleanEnvironment(), encoding: 'utf8' });
  } catch (error) {
    expect(error).toMatchObject({ status: 1 });
    output = String(Reflect.get(error as object, 'stdout'));
  }
  expect(output).toContain('ws-bad failed: `exit 3` ended with exit code 3.');
  expect(output).toMatch(/^ma-run-\d{8}-\d{6}: 1 of 2 completed$/m);
});
