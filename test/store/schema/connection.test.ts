import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { globSync } from 'tinyglobby';
import { expect, test } from 'vitest';
import { setBusyTimeout } from '../../../src/store/schema/connection.ts';
import { openDatabase } from '../../../src/store/schema/database.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

test('each connection waits as long as it was told last', () => {
  const folder = temporaryFolder();
  const connections = [openDatabase(join(folder, 'a.db')), openDatabase(join(folder, 'b.db'))];
  const [first, second] = connections;
  if (first === undefined || second === undefined) throw new Error('two were opened');
  setBusyTimeout(first, 20);
  setBusyTimeout(second, 30);
  setBusyTimeout(first, 30);
  setBusyTimeout(second, 30);
  setBusyTimeout(first, 20);
  expect(connections.map((each) => each.pragma('busy_timeout', { simple: true }))).toEqual([20, 30]);
  for (const connection of connections) connection.close();
});

test('an open connection is told in one place only, which remembers it', () => {
  const src = join(import.meta.dirname, '../../../src');
  const users = globSync('**/*.ts', { cwd: src }).filter((file) =>
    /busy_timeout\s*=/.test(readFileSync(join(src, file), 'utf8')),
  );
  expect(users).toEqual(['store/schema/connection.ts']);
});
