import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readConfig, readProject } from '../../src/cli/config.ts';
import { configurableOptions } from '../../src/cli/options.ts';
import { writeFiles } from '../kit/command.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

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
    shell: 'bash',
    worktree: { copy: ['.env'] },
    redact: { names: ['LICENCE_*'] },
  });
  expect(await readConfig(folder, {}, kinds)).toEqual({ timeout: 60, agents: 2 });
  expect(await readProject(folder)).toEqual({
    agents: [{ name: 'anna', tool: 'claude', tracks: ['core'] }, { name: 'ben' }],
    tools: { mine: { command: ['x'], prompt: 'file' } },
    capabilities: {},
    co_authors: [],
    merge_tests: [],
    gates: { GATE_UNIT: 'npm test' },
    shell: 'bash',
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
  [{ tools: { mine: { Command: ['x'] } } }, /tools\.mine: .*"Command" .*did you mean "command"\?/],
  [
    { tools: { mine: { command: ['x'], success: { exit_code: [1] } } } },
    /tools\.mine\.success: .*"exit_codes"/,
  ],
  [{ agents: [{ name: 'a', tol: 'x' }] }, /agents\.0: .*did you mean "tool"\?/],
  [
    { agents: [{ name: 'a', tool: 'claud' }] },
    /agents\.0\.tool: there is no tool "claud"; known are claude, /,
  ],
  [
    { tools: { codex: { adapter: 'codex' } }, agents: [{ name: 'a', tool: 'claud' }] },
    /known are claude, codex, gemini, opencode, aider\.?$/m,
  ],
  [
    { capabilities: { coding: 'cladue' } },
    /capabilities\.coding: there is no tool "cladue"; known are claude, /,
  ],
  [{ redact: { name: [] } }, /redact: .*did you mean "names"\?/],
  [{ gates: { gate_unit: 'x' } }, /gates: .*did you mean "GATE_UNIT"\?/],
  [{ worktree: { own: 'x' } }, /worktree: .*known are copy, link, setup/],
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
  await expect(readConfig(folder, {}, kinds)).rejects.toThrow('there is no permission to read it');
});

test.each([
  ['[]', /^millrace\.config\.json: expected an object/],
  ['', /^millrace\.config\.json:1:1: the file is empty/],
  ['{\n  "agents": 2,\n  "json" true }', /^millrace\.config\.json:3:10: expected ":" after the field name/],
  [`{"tools":${'['.repeat(10_000)}${']'.repeat(10_000)}}`, /nested more than 500 levels deep/],
  [`{"tools":${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}}`, /nested more than 500 levels deep/],
  ['{"__proto__":{"agents":5}}', /json: __proto__: this name is reserved/],
  ['{"tools":{"__proto__":{"command":["x"]}}}', /json: tools\.__proto__: this name is reserved/],
  ['{"tools":{"x":{"command":["a"],"env":{"__proto__":"1"}}}}', /tools\.x\.env\.__proto__: this name/],
  ['{"tracks":{"__proto__":["a"]}}', /tracks\.__proto__: this name is reserved/],
  ['{"logFile":"a\\u0000b"}', /"logFile" must be text without NUL characters/],
  [
    '{"agents": 2,\n "agents": 3}',
    /^millrace\.config\.json:2:2: agents: this key is given twice, also at 1:2/,
  ],
  [
    '{"tools":{"x":{"command":["a"],\n"command":["b"]}}}',
    /json:2:1: tools\.x\.command: this key is given twice/,
  ],
  ['{"logFile":"a","log-file":"b"}', /"log-file" is given twice, as "logFile" too/],
  ['{"constructor":1}', /there is no option "constructor"/],
  ['{"toString":1}', /there is no option "toString"/],
  [Buffer.from('\ufeff{"agents":2}', 'utf16le'), /it is not UTF-8.*It looks like UTF-16/],
])('a file that is %.40s is refused with its place', async (content, message) => {
  const folder = configured(content);
  const both = (async () => {
    await readConfig(folder, {}, kinds);
    await readProject(folder);
  })();
  await expect(both).rejects.toThrow(message);
  await expect(both).rejects.toHaveProperty('name', 'UsageError');
});

test('a byte order mark, comments and trailing commas are no mistakes', async () => {
  const folder = configured('\ufeff// ours\n{ "agents": 4, }');
  expect(await readConfig(folder, {}, kinds)).toEqual({ agents: 4 });
});

test('a pipe or a folder of that name is not waited for', async () => {
  const piped = temporaryFolder();
  execFileSync('mkfifo', [join(piped, 'millrace.config.json')]);
  await expect(readConfig(piped, {}, kinds)).rejects.toThrow('it is a pipe, socket or device, not a file');
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'millrace.config.json'));
  await expect(readProject(folder)).rejects.toThrow('millrace.config.json: it is a folder.');
});
