import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readConfig, readProject } from '../../src/cli/config.ts';
import { configurableOptions } from '../../src/cli/options.ts';
import { writeFiles } from '../rig/command.ts';
import { temporaryFolder } from '../rig/temporary-folder.ts';

const kinds = configurableOptions();

/** A folder with this configuration. */
function configured(content: unknown): string {
  const folder = temporaryFolder();
  writeFiles(folder, { 'millrace.config.json': content });
  return folder;
}

test('options and the description of the project stand in one file', async () => {
  const folder = configured({
    timeout: 60,
    agents: [{ name: 'anna', tool: 'claude', tracks: ['core'] }, { name: 'ben' }],
    tools: { mine: { command: ['x'], prompt: 'file' } },
    gates: { GATE_UNIT: 'npm test' },
    worktree: { copy: ['.env'] },
    redact: { names: ['LICENCE_*'] },
  });
  expect(await readConfig(folder, {}, kinds)).toEqual({ timeout: 60, agents: 2 });
  expect(await readProject(folder)).toEqual({
    agents: [{ name: 'anna', tool: 'claude', tracks: ['core'] }, { name: 'ben' }],
    tools: { mine: { command: ['x'], prompt: 'file' } },
    capabilities: {},
    gates: { GATE_UNIT: 'npm test' },
    worktree: { copy: ['.env'], link: [], setup: null },
    tracks: {},
    redact: { names: ['LICENCE_*'], keep: [] },
  });
});

test('without a file there is nothing to say', async () => {
  const folder = temporaryFolder();
  expect(await readConfig(folder, {}, kinds)).toEqual({});
  expect((await readProject(folder)).tools).toEqual({});
});

test.each([
  [{ tools: { mine: { comand: ['x'] } } }, /tools\.mine: .*comand/],
  [{ tools: { mine: { command: [] } } }, /tools\.mine\.command/],
  [{ agents: [{ name: 'Anna B' }] }, /agents\.0\.name/],
  [{ agents: [{ name: 'coordinator' }] }, /agents\.0\.name/],
  [{ agents: [{ name: 'a' }, { name: 'a' }] }, /agents: .*"a"/],
  [{ gates: { GATE_STYLE: 'x' } }, /gates/],
  [{ worktree: { setup: 7 } }, /worktree\.setup/],
  [
    { tools: { mine: { command: ['x'], success: { output_matches: '(' } } } },
    /tools\.mine\.success\.output_matches: .*Unterminated group/,
  ],
  [{ tools: { mine: { command: ['x', '--model={model}'] } } }, /tools\.mine\.model: .*\{model\}/],
  [{ tools: { mine: { args: ['x'] } } }, /tools\.mine\.command: .*needs a command/],
])('%j is refused with its place', async (content, message) => {
  await expect(readProject(configured(content))).rejects.toThrow(message);
});

test('a section that is misspelt gets the right name', async () => {
  const folder = configured({ tolls: {} });
  await expect(readConfig(folder, {}, kinds)).rejects.toThrow('Did you mean "tools"?');
});

test.runIf(process.getuid?.() !== 0)('a file that can not be read is a usage error', async () => {
  const folder = configured({});
  chmodSync(join(folder, 'millrace.config.json'), 0);
  await expect(readConfig(folder, {}, kinds)).rejects.toThrow("it can't be read");
});
