import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Outcome } from '../../src/domain/outcome.ts';
import type { Step } from '../../src/domain/workstream.ts';
import { findNativeHost } from '../../src/engine/native-host.ts';
import { ThreadEngine } from '../../src/engine/threads.ts';
import { groupIsAlive } from '../../src/os/process-group.ts';
import { hasProcessTable } from '../../src/os/process-table.ts';
import { assignment, commandStep, runStep, workstream } from '../kit/definitions.ts';
import { engineSettings } from '../kit/engine-settings.ts';
import { isLiving } from '../kit/is-living.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';
import { starterOf, untilTied } from './until-tied.ts';

let engine: ThreadEngine;
afterEach(async () => {
  await engine.close();
  vi.unstubAllEnvs();
});

async function start(): Promise<number> {
  engine = new ThreadEngine({
    ...engineSettings(join('/nowhere', 'cache')),
    agents: 1,
    manyCommands: true,
  });
  await untilTied(engine, 1);
  return starterOf(engine);
}

const run = (folder: string, steps: Step[], onMessage = (): void => undefined): Promise<Outcome> =>
  engine.execute(assignment(folder, workstream('ws-a', steps)), {
    signal: new AbortController().signal,
    onMessage,
  });

const KINDS = findNativeHost().file === null ? (['node'] as const) : (['native', 'node'] as const);

describe.each(KINDS)('with the command host: %s', (kind) => {
  beforeEach(() => vi.stubEnv('MILLRACE_COMMAND_HOST', kind));

  test.runIf(hasProcessTable)('it is the one that was asked for', async () => {
    const host = await start();
    expect(readFileSync(`/proc/${host}/cmdline`, 'utf8').startsWith(process.execPath)).toBe(kind === 'node');
  });

  test('a command leads a group of its own, in its folder, with its variables and its log', async () => {
    await start();
    const folder = temporaryFolder();
    const script =
      'ps -o pgid= -p $$ | tr -d " " > group; echo $$ > pid; pwd; echo "$MILLRACE_WORKSTREAM_ID"; echo problem >&2';
    const { failure, logFile } = await run(folder, [runStep(script)]);
    expect(failure).toBeNull();
    expect(readFileSync(join(folder, 'group'), 'utf8')).toBe(readFileSync(join(folder, 'pid'), 'utf8'));
    expect(readFileSync(logFile ?? '', 'utf8')).toBe(`${folder}\nws-a\nproblem\n`);
  });

  test('how it ended is told as it is of one that the thread started', async () => {
    await start();
    const reasons: unknown[] = [];
    for (const step of [
      runStep('exit 137'),
      runStep('false\ntrue'),
      runStep('exit 2 | true', { shell: 'bash' }),
      runStep('kill -9 $$'),
      commandStep(['no-such-program']),
      runStep('pwd', { cwd: '/no/such/folder' }),
    ]) {
      const { failure } = await run(temporaryFolder(), [step]);
      reasons.push(failure?.reason);
    }
    expect(reasons).toEqual([
      'exit-non-zero',
      'exit-non-zero',
      'exit-non-zero',
      'killed-by-signal',
      'command-not-found',
      'workspace-error',
    ]);
  });

  test.runIf(hasProcessTable)(
    'it may die: the running command fails and is ended, the next is run all the same',
    async () => {
      const host = await start();
      const folder = temporaryFolder();
      // Under a shell of its own, so that the host's death comes while the command runs.
      const script = `echo $$ > pid; kill -9 ${host}; sleep 1000`;
      const { failure } = await run(folder, [runStep(script)]);
      expect(failure).toMatchObject({ reason: 'workspace-error' });
      expect(failure).toHaveProperty(
        'detail',
        expect.stringContaining('the process that starts commands has ended'),
      );
      expect(groupIsAlive(Number(readFileSync(join(folder, 'pid'), 'utf8')))).toBe(false);
      expect(await starterOf(engine)).not.toBe(host);
      // The host for Node takes the place of the native one.
      if (kind === 'native') await untilTied(engine, 1);
      else expect(await starterOf(engine)).toBe(process.pid);
    },
  );

  test.runIf(hasProcessTable)('it ends with the engine, and leaves no file', async () => {
    const host = await start();
    const socket =
      readFileSync(`/proc/${host}/cmdline`, 'utf8')
        .split('\0')
        .find((word) => word.endsWith('/command-host')) ?? '';
    expect(existsSync(socket)).toBe(true);
    await engine.close();
    expect(isLiving(host)).toBe(false);
    expect(existsSync(dirname(socket))).toBe(false);
  });

  test('output that can not be opened there goes where the thread has opened it', async () => {
    await start();
    const folder = temporaryFolder();
    const logFile = join(folder, 'logs', 'ws-a.log');
    const steps = [runStep(`echo before; rm -r ${join(folder, 'logs')}`), runStep('echo after')];
    const { failure, steps: results } = await engine.execute(
      assignment(folder, workstream('ws-a', steps), { logFile }),
      { signal: new AbortController().signal, onMessage: () => undefined },
    );
    expect(failure).toBeNull();
    expect(results.map(({ tail }) => tail)).toEqual(['before\n', 'after\n']);
  });
});
