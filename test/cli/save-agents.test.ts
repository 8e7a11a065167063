import {
  chmodSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readConfig } from '../../src/cli/config.ts';
import { configurableOptions } from '../../src/cli/options.ts';
import { saveAgents } from '../../src/cli/save-agents.ts';
import { UsageError } from '../../src/cli/usage-error.ts';
import { machineName } from '../../src/os/machine.ts';
import { writeFiles } from '../kit/command.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const NAME = 'millrace.config.json';

/** The file after a number of agents was saved in it. */
async function saved(before: string | null, machine = 'ada, 8 cores', agents = 6): Promise<string> {
  const folder = temporaryFolder();
  if (before !== null) writeFiles(folder, { [NAME]: before });
  expect(await saveAgents(folder, machine, agents)).toBe(join(folder, NAME));
  expect(readdirSync(folder)).toEqual([NAME]);
  return readFileSync(join(folder, NAME), 'utf8');
}

test('a file is made where there is none', async () => {
  expect(await saved(null)).toBe(
    '{\n  "machines": {\n    "ada, 8 cores": {\n      "agents": 6\n    }\n  }\n}\n',
  );
});

test('comments, order and form stay', async () => {
  const before = '{\n\t// as many as fit\n\t"agents": 4, /* here */\n\t"timeout": 60,\n}\n';
  const added = '\n\t"machines": {\n\t\t"ada, 8 cores": {\n\t\t\t"agents": 6\n\t\t}\n\t},\n}\n';
  expect(await saved(before)).toBe(before.replace('\n}\n', added));
});

test('what is said of other machines, and other options of this one, stay', async () => {
  const before =
    '{\r\n    "machines": {\r\n        "ada, 8 cores": { "agents": 2, "timeout": 5 }, // slow\r\n        "b": {}\r\n    }\r\n}\r\n';
  expect(await saved(before)).toBe(before.replace('"agents": 2', '"agents": 6'));
});

test('a link stays a link, and the mode stays', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'shared.json'), '{}');
  chmodSync(join(folder, 'shared.json'), 0o640);
  symlinkSync('shared.json', join(folder, NAME));
  await saveAgents(folder, 'ada', 3);
  expect(lstatSync(join(folder, NAME)).isSymbolicLink()).toBe(true);
  expect(readFileSync(join(folder, 'shared.json'), 'utf8')).toContain('"agents": 3');
  expect(statSync(join(folder, 'shared.json')).mode & 0o777).toBe(0o640);
});

test('a folder that can not be written is told', async () => {
  const folder = join(temporaryFolder(), 'is-not-there');
  await expect(saveAgents(folder, 'ada', 3)).rejects.toThrow(UsageError);
});

test('what was saved is read on this machine, and on no other', async () => {
  const folder = temporaryFolder();
  const kinds = configurableOptions();
  writeFiles(folder, { [NAME]: { agents: 2, timeout: 9 } });
  await saveAgents(folder, 'another, 8 cores', 7);
  expect(await readConfig(folder, {}, kinds)).toEqual({ agents: 2, timeout: 9 });
  await saveAgents(folder, machineName(), 5);
  expect(await readConfig(folder, {}, kinds)).toEqual({ agents: 5, timeout: 9 });
  expect(await readConfig(folder, { MILLRACE_AGENTS: '4' }, kinds)).toMatchObject({ agents: 4 });
});

test.each([
  ['{ "machines": 5 }', '"machines" must be an object'],
  ['{ "machines": { "x": 5 } }', '"machines.x" must be an object'],
  ['{ "machines": { "x": { "agnets": 5 } } }', 'there is no option "agnets". Did you mean "agents"?'],
  ['{ "machines": { "x": { "agents": "many" } } }', '"agents" must be a number or "auto"'],
  ['{ "machnies": {} }', 'Did you mean "machines"?'],
])('what is wrong is refused, of other machines too: %s', async (text, message) => {
  const folder = temporaryFolder();
  writeFiles(folder, { [NAME]: text });
  await expect(readConfig(folder, {}, configurableOptions())).rejects.toThrow(message);
});

test('a machine is called by its host and its cores, or as a variable says', () => {
  expect(machineName({}, 8)).toMatch(/^.+, 8 cores$/);
  expect(machineName({}, 1)).toMatch(/^.+, 1 core$/);
  expect(machineName({ MILLRACE_MACHINE: '' }, 1.5)).toMatch(/^.+, 1\.5 cores$/);
  expect(machineName({ MILLRACE_MACHINE: 'runner' }, 8)).toBe('runner');
});
