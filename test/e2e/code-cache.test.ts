import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { millrace, writeFiles } from '../kit/command.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

test('the first run keeps the code of its process and of its threads, and the next one uses it', async () => {
  const folder = temporaryFolder();
  const cache = join(folder, 'cache', 'millrace');
  const files = (): Record<string, number> =>
    Object.fromEntries(readdirSync(cache).map((name) => [name, statSync(join(cache, name)).ino]));
  writeFiles(folder, {
    'workstreams/module.mjs': 'export default () => {};',
    'workstreams/ws-module.json': { id: 'ws-module', steps: [{ module: './module.mjs' }] },
    'workstreams/ws-command.json': { id: 'ws-command', steps: [{ run: 'true' }] },
  });
  const run = async (args: string[]): Promise<void> => {
    const { code, stderr } = await millrace(folder, args, {
      XDG_CACHE_HOME: join(folder, 'cache'),
      NODE_V8_COVERAGE: undefined,
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  };
  await run(['run']);
  const made = files();
  expect(Object.keys(made).map((name) => name.split('-').slice(0, 2).join('-'))).toEqual([
    'agents-thread',
    'cli-log',
    'run-log',
    'store-log',
  ]);
  await run(['run']);
  expect(files()).toEqual(made);
  await run(['status']);
  expect(Object.keys(files()).length).toBe(Object.keys(made).length + 2);
});
