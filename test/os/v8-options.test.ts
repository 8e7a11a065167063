import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { heapOptions } from '../../src/os/v8-options.ts';

test('a limit that the user has set stays', () => {
  expect(heapOptions([], '')).toHaveLength(2);
  expect(heapOptions(['--cpu-prof'], '--enable-source-maps')).toHaveLength(2);
  expect(heapOptions(['--max-old-space-size=100'], '')).toEqual([]);
  expect(heapOptions([], '--enable-source-maps --max_old_space_size=100')).toEqual([]);
});

const PROGRAM = `
  const { keepHeapOptionsHere } = await import(process.argv[1]);
  const { getHeapStatistics } = await import('node:v8');
  const { Worker } = await import('node:worker_threads');
  keepHeapOptionsHere();
  const code = "const { getHeapStatistics } = require('node:v8');" +
    "require('node:worker_threads').parentPort.postMessage(getHeapStatistics().heap_size_limit);";
  const inThread = (resourceLimits) => new Promise((resolve, reject) => {
    new Worker(code, { eval: true, execArgv: [], resourceLimits }).on('message', resolve).on('error', reject);
  });
  console.log(JSON.stringify({
    here: getHeapStatistics().heap_size_limit,
    thread: await inThread({}),
    limited: await inThread({ maxOldGenerationSizeMb: 100 }),
    execArgv: process.execArgv.filter((option) => /^--(max|initial)-old/.test(option)),
  }));`;

/** The limits of a process that is started with these options, and of its threads. */
function limitsWith(options: readonly string[]): Record<'here' | 'thread' | 'limited' | 'execArgv', unknown> {
  const module = fileURLToPath(new URL('../../dist/src/os/v8-options.js', import.meta.url));
  const args = [...options, '--input-type=module', '--eval', PROGRAM, module];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
}

test('the limit is that of the process and not of its threads', () => {
  const without = limitsWith([]);
  const limited = limitsWith(heapOptions([], ''));
  expect(limited).toMatchObject({ thread: without.thread, limited: without.limited, execArgv: [] });
  expect(limited.here).toBeLessThan(2.1e9);
  const own = limitsWith(['--max-old-space-size=200']);
  expect(own.execArgv).toEqual(['--max-old-space-size=200']);
});

const MANY_YOUNG = `
  const { keepYoungSpaceSmall } = await import(process.argv[1]);
  const { getHeapSpaceStatistics } = await import('node:v8');
  keepYoungSpaceSmall();
  let kept = [];
  for (let index = 0; index < 2e6; index += 1) {
    kept.push({ index });
    if (kept.length > 20_000) kept = [];
  }
  console.log(getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size);`;

test.skipIf(!process.versions.node.startsWith('20.'))('the space of young objects does not grow', () => {
  const module = fileURLToPath(new URL('../../dist/src/os/v8-options.js', import.meta.url));
  const args = ['--input-type=module', '--eval', MANY_YOUNG, module];
  const run = spawnSync(process.execPath, args, { encoding: 'utf8' });
  // Two halves of a megabyte each; without the flag it grows to eight and more.
  expect(Number(run.stdout)).toBeLessThan(4_000_000);
  expect(run.stderr).toBe('');
});

const LATE = `
  const { compileAsUsual, compileLate } = await import(process.argv[1]);
  const { cachedDataVersionTag } = await import('node:v8');
  const tags = [cachedDataVersionTag()];
  const note = () => tags.push(cachedDataVersionTag());
  compileAsUsual()();
  note();
  compileLate();
  note();
  const compileLateAgain = compileAsUsual();
  note();
  compileLateAgain();
  note();
  console.log(JSON.stringify(tags));`;

test.skipIf(!process.versions.node.startsWith('20.'))(
  'a process that compiles late has the options that Node was built with while threads start, and others do at all times',
  () => {
    const module = fileURLToPath(new URL('../../dist/src/os/v8-options.js', import.meta.url));
    const args = ['--input-type=module', '--eval', LATE, module];
    const run = spawnSync(process.execPath, args, { encoding: 'utf8' });
    const [usual, untouched, late, duringStart, again] = JSON.parse(run.stdout);
    expect([untouched, duringStart]).toEqual([usual, usual]);
    expect(late).not.toBe(usual);
    expect(again).toBe(late);
    expect(run.stderr).toBe('');
  },
);
