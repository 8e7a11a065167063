/** Whatever code has changed in its thread or process: it can be told to stop, notices no other, and ends. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import type { Engine } from '../../src/domain/engine.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import { ProcessEngine } from '../../src/engine/processes.ts';
import { ThreadEngine } from '../../src/engine/threads.ts';
import * as changes from '../fixtures/modules/changes.mjs';
import { assignment, moduleStep, runStep, workstream } from '../kit/definitions.ts';
import { engineSettings } from '../kit/engine-settings.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const CHANGES = fileURLToPath(new URL('../fixtures/modules/changes.mjs', import.meta.url));

/** Changes something and waits, with what it has kept from before, until it is told to stop or may go on. */
const MODULE = `
import { existsSync, writeFileSync } from 'node:fs';
import * as changes from ${JSON.stringify(CHANGES)};
const { setImmediate, Promise } = globalThis;
const { aborted } = Object.getOwnPropertyDescriptors(AbortSignal.prototype);
export default async ({ change, begun, go }, { signal }) => {
  const isAborted = () => Reflect.apply(aborted.get, signal, []);
  changes[change]();
  writeFileSync(begun, '');
  while (!isAborted() && !existsSync(go)) await new Promise((resolve) => setImmediate(resolve));
};
export const neverEnds = () => {
  process.on('exit', () => {
    for (;;);
  });
};
/** As packages do, so that errors are heard all the same. */
export const losesEvents = () => {
  const { emit } = process;
  process.emit = (...args) => Reflect.apply(emit, process, args);
  changes.emitters();
};
export const endsLate = (_, { workspace }) => {
  process.on('exit', () => {
    writeFileSync(workspace + '/ended', '');
    console.log('ended');
  });
};
export const throwsAtEnd = () => {
  process.on('exit', () => {
    throw new Error('at its end');
  });
};`;

const cacheFolder = mkdtempSync(join(tmpdir(), 'millrace-cache-'));
const settings = engineSettings(cacheFolder);
afterAll(() => rmSync(cacheFolder, { recursive: true }));

/** Executes a function of the module until it has begun, and says how it goes on. */
async function begin(engine: Engine, agentId: string, change: string) {
  const folder = temporaryFolder();
  const module = join(folder, 'module.mjs');
  writeFileSync(module, MODULE);
  const input = { change, begun: join(folder, 'begun'), go: join(folder, 'go') };
  const given = assignment(folder, workstream('ws-a', [moduleStep(module, 'default', input)]), { agentId });
  const controller = new AbortController();
  const outcome = engine.execute(given, { signal: controller.signal, onMessage: () => undefined });
  await expect.poll(() => existsSync(input.begun)).toBe(true);
  return {
    goOn: (): Promise<Outcome> => {
      writeFileSync(input.go, '');
      return outcome;
    },
    cancel: (): Promise<Outcome> => {
      controller.abort('cancelled');
      return outcome;
    },
  };
}

const all = Object.keys(changes);
/** It fails at once by `thenMethod`; and Node reads what is sent to a process by iterating arrays, so that it fails by that. */
const reached = {
  thread: all.filter((change) => change !== 'thenMethod'),
  process: all.filter((change) => change !== 'thenMethod' && change !== 'iteration'),
};

describe.each([
  ['thread' as const, () => new ThreadEngine({ ...settings, agents: 2, manyCommands: false })],
  ['process' as const, () => new ProcessEngine(settings)],
])('in a %s', (place, create) => {
  const engine: Engine = create();
  afterAll(() => engine.close());

  test.each(reached[place])('%s: it is told to stop', async (change) => {
    const { cancel } = await begin(engine, 'agent-1', change);
    const { failure } = await cancel();
    expect(failure).toEqual({ reason: 'cancelled', detail: 'it was running and was told to stop' });
  });

  test('an event that was to end a command is lost: the error of that is not waited for', async () => {
    const folder = temporaryFolder();
    const module = join(folder, 'module.mjs');
    writeFileSync(module, MODULE);
    const steps = [moduleStep(module, 'losesEvents'), runStep('exit 0', { id: 'step-2' })];
    const limits = { timeoutSeconds: 3_600, graceSeconds: 0.1, maxOutputMb: 1 };
    const { signal } = new AbortController();
    const given = assignment(folder, workstream('ws-a', steps), { limits });
    const { failure } = await engine.execute(given, { signal, onMessage: () => undefined });
    expect(failure).toMatchObject({ how: 'uncaught-exception', thrown: { message: 'not what it was' } });
  });

  test.each(all)('%s: that another one is told to stop is not noticed', async (change) => {
    const alone = await (await begin(engine, 'agent-1', change)).goOn();
    const first = await begin(engine, 'agent-1', change);
    const second = await begin(engine, 'agent-2', 'fine');
    expect((await second.cancel()).failure).toMatchObject({ reason: 'cancelled' });
    const beside = await first.goOn();
    expect(beside.failure).toEqual(alone.failure);
    expect(beside.warnings).toEqual(alone.warnings);
  });
});

test('a process that can read no message any more is ended by the one that tells it to stop', async () => {
  const engine = new ProcessEngine(settings);
  const { cancel } = await begin(engine, 'agent-1', 'iteration');
  expect((await cancel()).failure).toMatchObject({ reason: 'thrown', how: 'uncaught-exception' });
  await engine.close();
});

/** Executes a function of the module in a process: its outcome, and what it did after its end. */
async function inProcess(
  name: string,
  graceSeconds: number,
): Promise<{ outcome: Outcome; lates: string[]; folder: string }> {
  const lates: string[] = [];
  const engine = new ProcessEngine({ ...settings, onLate: (_, text) => lates.push(text) });
  const folder = temporaryFolder();
  const module = join(folder, 'module.mjs');
  writeFileSync(module, MODULE);
  const limits = { timeoutSeconds: 3_600, graceSeconds, maxOutputMb: 1 };
  const given = assignment(folder, workstream('ws-a', [moduleStep(module, name)]), { limits });
  const { signal } = new AbortController();
  const outcome = await engine.execute(given, { signal, onMessage: () => undefined });
  await engine.close();
  return { outcome, lates, folder };
}

describe('a process that has answered', () => {
  test('is ended where it does not end', async () => {
    const { failure, warnings } = (await inProcess('neverEnds', 0.1)).outcome;
    expect(failure).toBeNull();
    expect(warnings).toEqual(['Its process did not end within 1.1 s after it, and was ended.']);
  });

  test('may do what it does when it ends, and what it prints is late', async () => {
    const { outcome, lates, folder } = await inProcess('endsLate', 1_000);
    expect(outcome).toMatchObject({ failure: null, warnings: [] });
    expect(existsSync(join(folder, 'ended'))).toBe(true);
    expect(lates).toEqual(['it printed: ended']);
  });

  test('ends where a listener of that throws, which is told', async () => {
    const { outcome, lates } = await inProcess('throwsAtEnd', 1_000);
    expect(outcome).toMatchObject({ failure: null, warnings: [] });
    expect(lates).toEqual(['uncaught-exception: Error: at its end']);
  });
});
