/** The table of options, and what is derived from it. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { type FlagOption, isRunOption, OPTION_TABLE } from '../../src/app/option-table.ts';
import { parseOptions, storedOptions } from '../../src/app/options.ts';
import { definitions } from '../../src/cli/definitions.ts';
import { configurableOptions, writtenFlag } from '../../src/cli/options.ts';

const QUICK_REFERENCE = fileURLToPath(new URL('../../docs/quick-reference.md', import.meta.url));

const table: [name: string, option: FlagOption][] = Object.entries(OPTION_TABLE);

function rowOf({ flag, value, default: fallback, docDefault, doc, help }: FlagOption): string {
  const written = value === undefined ? writtenFlag(flag) : `${writtenFlag(flag)} ${value}`;
  const own =
    typeof fallback === 'string' ? `\`${fallback}\`` : typeof fallback === 'number' ? `${fallback}` : '';
  return `| \`${written}\` | ${docDefault ?? own} | ${doc ?? help} |`.replaceAll('|  |', '| |');
}

/** The document with the table of options as it is to be. */
function withTable(document: string): string {
  const head = '| option | default | meaning |\n| --- | --- | --- |\n';
  const from = document.indexOf(head);
  const to = document.indexOf('\n\n', from);
  if (from === -1 || to === -1) throw new Error('there is no table of options');
  const rows = table.map(([, option]) => rowOf(option));
  return `${document.slice(0, from)}${head}${rows.join('\n')}${document.slice(to)}`;
}

test('docs/quick-reference.md has every option of the table (vitest -u writes it)', async () => {
  await expect(withTable(readFileSync(QUICK_REFERENCE, 'utf8'))).toMatchFileSnapshot(QUICK_REFERENCE);
});

test('`run` has every option of the table as a flag, and no other', () => {
  expect(Object.keys(definitions.run.options).toSorted()).toEqual(
    table.map(([, { flag }]) => flag).toSorted(),
  );
});

test('each flag is there once, and a configuration sets each but those that go on with a run', () => {
  const flags = table.map(([, { flag }]) => flag);
  expect(new Set(flags).size).toBe(flags.length);
  expect(flags.filter((flag) => !configurableOptions().has(flag))).toEqual([
    'resume',
    'retry-failed',
    'pattern',
  ]);
});

test('the library has the defaults of the table', () => {
  const { options, given } = parseOptions({});
  expect(options).toMatchObject(
    Object.fromEntries(
      table.flatMap(([name, option]) => (isRunOption(option) ? [[name, option.default]] : [])),
    ),
  );
  expect([...given]).toEqual([]);
});

test('what is stored with a run says what is run and how, and nothing of who starts it', () => {
  expect(Object.keys(storedOptions(parseOptions({}).options)).toSorted()).toEqual([
    'agentMemoryMb',
    'agentsCount',
    'atLimit',
    'bestOf',
    'cache',
    'cacheMb',
    'cpus',
    'distribution',
    'failFast',
    'graceSeconds',
    'maxAgents',
    'maxCostUsd',
    'maxOutputMb',
    'maxTime',
    'maxWait',
    'memory',
    'merge',
    'outsideScope',
    'reports',
    'select',
    'source',
    'timeoutSeconds',
    'tool',
    'toolCircuit',
    'waitForWorkers',
    'withDependencies',
    'workspace',
    'workstreams',
  ]);
});
