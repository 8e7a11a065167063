/** What a workstream does to its thread stays its own: the next one in that thread notices nothing. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Step } from '../../src/domain/workstream.ts';
import { moduleStep, runStep } from '../kit/definitions.ts';
import { type Executed, type OneThread, oneThread } from '../kit/one-thread.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/modules/${name}`, import.meta.url));
const change = (name: string): Step => moduleStep(fixture('changes.mjs'), name);

const thread = oneThread();
const { lates } = thread;
beforeEach(() => void lates.splice(0));

const run = (...execution: Parameters<OneThread['run']>): Promise<Executed> => thread.run(...execution);

const outputOf = ({ outcome }: Executed): unknown => {
  expect(outcome.failure).toBeNull();
  return JSON.parse(outcome.output ?? 'null');
};

/** Both a module and a command find everything as it was. */
async function expectUntouched(): Promise<void> {
  const folder = temporaryFolder();
  const next = await run([change('fine'), runStep('echo "[$LEAKED] $PATH" > seen')], 'ws-next', folder);
  expect(outputOf(next)).toEqual({ length: 2, isNow: true, env: null, path: process.env['PATH'] });
  expect(next.outcome.durationSeconds).toBeGreaterThan(0);
  expect(next.outcome.warnings).toEqual([]);
  expect(readFileSync(join(folder, 'seen'), 'utf8')).toBe(`[] ${process.env['PATH']}\n`);
}

describe('a thread is replaced whose workstream changed', () => {
  test.each([
    ['fakeTimers', 'Date'],
    ['fakeClockInPlace', 'Date.now'],
    ['json', 'JSON.parse'],
    ['promise', 'Promise'],
    ['thenMethod', 'Promise.prototype.then'],
    ['arrays', 'Array.prototype.map'],
    ['iteration', 'Array.prototype.Symbol(Symbol.iterator)'],
    ['sets', 'Set.prototype.Symbol(Symbol.iterator)'],
    ['getter', 'JSON.parse'],
    ['descriptors', 'a prototype that all objects have'],
    ['thenables', 'Object.prototype.then'],
    ['events', 'EventTarget.prototype.dispatchEvent'],
    ['random', 'Math.random'],
    ['deleted', 'structuredClone'],
    ['pollution', 'a prototype that all objects have'],
    ['emitters', 'EventEmitter.prototype.emit'],
    ['files', 'fs.readFileSync'],
    ['processExit', 'process.exit'],
    ['printing', 'console.log'],
    ['listener', 'the listeners of uncaughtException'],
    ['noListeners', 'the listeners of unhandledRejection'],
    ['setVariable', 'process.env (LEAKED)'],
    ['defineVariable', 'process.env (LEAKED)'],
    ['deleteVariable', 'process.env (PATH)'],
  ])('%s: %s', async (name, changed) => {
    await expectUntouched();
    const { replaced } = await run([change(name)]);
    expect(replaced).toEqual([`the workstream changed ${changed}`]);
    await expectUntouched();
  });

  test('all its variables at once', async () => {
    const { replaced } = await run([change('replaceVariables')]);
    expect(replaced).toEqual([
      expect.stringMatching(/^the workstream changed process\.env \(.*PATH.*LEAKED\)$/),
    ]);
    await expectUntouched();
  });

  test('them while a module was loaded, so that the next one that uses it finds them too', async () => {
    const loads = [moduleStep(fixture('changes-when-loaded.mjs'))];
    for (let time = 0; time < 2; time += 1) {
      const { outcome, replaced } = await run(loads);
      expect(outcome.output).toBe('["yes","mine"]');
      expect(replaced).toEqual(['the workstream changed JSON.parse']);
    }
    await expectUntouched();
  });
});

test('a thread is kept whose workstream put back what it changed', async () => {
  expect((await run([change('putsBack')])).replaced).toEqual([]);
});

test('what fake timers leave behind is no hindrance to the workstream that installed them', async () => {
  const { outcome } = await run([change('fakeTimers')]);
  expect(outcome.failure).toBeNull();
  expect(outcome.startedAt).toBeGreaterThan(1e12);
});

test('the variables of a thread are those of Node: strings, listed, inherited', async () => {
  expect(outputOf(await run([change('variables')]))).toEqual({
    number: '5',
    undefined: 'undefined',
    isIn: true,
    listed: true,
    isGone: true,
  });
});

test('what an ended workstream does to the thread later is never blamed on the next', async () => {
  expect((await run([change('later')])).replaced).toEqual([]);
  // Its timer is due while this command runs, so that no code of a workstream is in between.
  expect((await run([runStep('sleep 0.05')], 'ws-next')).outcome.failure).toBeNull();
  for (let time = 0; time < 5; time += 1) await expectUntouched();
});

test('a thread that can receive nothing any more is replaced, and what it was given is for another one', async () => {
  const file = join(temporaryFolder(), 'later.mjs');
  const module = `export default () => {
    setTimeout(() => {
      console.log('now');
      Array.prototype[Symbol.iterator] = () => { throw new TypeError('not what it was'); };
    }, 1).unref();
  };`;
  writeFileSync(file, module);
  expect((await run([moduleStep(file)])).replaced).toEqual([]);
  await expect.poll(() => lates).toEqual(['ws-a: it printed: now']);
  await expectUntouched();
});

test('a module that could not be loaded is loaded again', async () => {
  const folder = temporaryFolder();
  const module = join(folder, 'main.mjs');
  writeFileSync(module, "import { value } from './part.mjs';\nexport default () => ({ output: value });\n");
  const first = await run([moduleStep(module)]);
  expect(first.outcome.failure).toMatchObject({ reason: 'module-load-failed' });
  expect(first.replaced).toEqual(['a module could not be loaded']);
  writeFileSync(join(folder, 'part.mjs'), "export const value = 1;\nthrow new Error('not yet');\n");
  expect((await run([moduleStep(module)])).outcome.failure).toMatchObject({ thrown: { message: 'not yet' } });
  writeFileSync(join(folder, 'part.mjs'), 'export const value = 1;\n');
  expect(outputOf(await run([moduleStep(module)]))).toBe(1);
});

test('a TypeScript module that could not be compiled is compiled again', async () => {
  const module = join(temporaryFolder(), 'main.ts');
  writeFileSync(module, 'export default () => ({ output: ');
  expect((await run([moduleStep(module)])).outcome.failure).toMatchObject({ reason: 'module-load-failed' });
  writeFileSync(module, 'export default () => ({ output: 1 as number });\n');
  expect(outputOf(await run([moduleStep(module)]))).toBe(1);
});

describe('what modules share between workstreams', () => {
  const module = `
import { spawn } from 'node:child_process';
import { once } from 'node:events';
const queue = [];
let done;
setInterval(async () => {
  for (const { command, line } of queue.splice(0)) {
    if (line !== undefined) console.log(line);
    if (command !== undefined) await once(spawn(command, { shell: true, stdio: 'inherit' }), 'exit');
    done();
  }
}, 1).unref();
export default (task) => new Promise((resolve) => { done = resolve; queue.push(task); });
export const printsLater = () => { setTimeout(() => console.log('too late'), 1).unref(); };`;

  const logOf = ({ outcome }: Executed): string => readFileSync(outcome.logFile ?? '', 'utf8');

  test('works for the one that is under way: its lines and its child processes', async () => {
    const file = join(temporaryFolder(), 'shared.mjs');
    writeFileSync(file, module);
    const first = await run([moduleStep(file, 'default', { line: 'line 1' })], 'ws-1');
    const second = await run([moduleStep(file, 'default', { line: 'line 2' })], 'ws-2');
    const third = await run(
      [moduleStep(file, 'default', { command: 'echo $MILLRACE_WORKSTREAM_ID' })],
      'ws-3',
    );
    expect([first, second, third].map(logOf)).toEqual(['line 1\n', 'line 2\n', 'ws-3\n']);
    expect([first, second, third].flatMap(({ replaced }) => replaced)).toEqual([]);
    expect(lates).toEqual([]);
  });

  test('is late where none is under way, and the one that set it in motion is named', async () => {
    const file = join(temporaryFolder(), 'late.mjs');
    writeFileSync(file, module);
    await run([moduleStep(file, 'printsLater')], 'ws-late');
    await expect.poll(() => lates).toEqual(['ws-late: it printed: too late']);
  });
});
