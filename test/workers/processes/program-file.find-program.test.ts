import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findProgram } from '../../../workers/processes/program-file.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

test('a program is found on PATH, or by its path from the folder', () => {
  const folder = temporaryFolder();
  for (const place of ['first', 'second', 'third']) mkdirSync(join(folder, place));
  writeFileSync(join(folder, 'first', 'agent'), '');
  mkdirSync(join(folder, 'second', 'agent'));
  const agent = join(folder, 'third', 'agent');
  writeFileSync(agent, '');
  chmodSync(agent, 0o755);
  const path = ['first', 'second', 'third'].map((place) => join(folder, place)).join(':');

  // A folder of that name and a file that is not a program are passed over.
  expect(findProgram('agent', '/', path)).toBe(agent);
  expect(findProgram('agent', join(folder, 'third'), '/nowhere::/bin')).toBe(agent);
  expect(findProgram('third/agent', folder, '')).toBe(agent);
  expect(findProgram('./agent', join(folder, 'third'), path)).toBe(agent);
  expect(findProgram(agent, '/', '')).toBe(agent);
  expect(findProgram('first/agent', folder, path)).toBeNull();
  expect(findProgram('agents', '/', path)).toBeNull();
});
