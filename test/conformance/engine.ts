/** What every engine must do, whatever a workstream does. */
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, constants, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Assignment } from '../../src/domain/assignment.ts';
import type { CancelReason, Engine, EngineMessage, ExecuteOptions } from '../../src/domain/engine.ts';
import { describeFailure } from '../../src/domain/failure-message.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import type { Step } from '../../src/domain/workstream.ts';
import { groupIsAlive } from '../../src/os/process-group.ts';
import { hasProcessTable } from '../../src/os/process-table.ts';
import {
  acceptanceCommand,
  assignment,
  commandStep,
  moduleStep,
  runStep,
  workstream,
} from '../kit/definitions.ts';
import { isLiving } from '../kit/is-living.ts';
import { completed } from '../kit/scripted-engine.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/modules/${name}`, import.meta.url));
const behaviour = (name: string, input: import('../../src/domain/json.ts').Json = null): Step =>
  moduleStep(fixture('behaviours.mjs'), name, input);

interface Run {
  outcome: Outcome;
  messages: EngineMessage[];
  folder: string;
}

const pidIn = (file: string): number => Number(readFileSync(file, 'utf8'));
/** Its command line may still be that of the program that starts it, or not be there yet. */
const leftOne = (pid: number): unknown =>
  expect.stringMatching(`^It left a process running; it was ended: ${pid} \\(.*sleep.*\\)\\.$`);

/** How what an agent's code does to the place that it lives in ends: a thread survives some of it. */
const CONTAINED: Record<'thread' | 'process', [string, string, string][]> = {
  thread: [
    ['exits', 'worker-crashed', 'ended with exit code 3'],
    ['aborts', 'thrown', 'process.abort() is not supported in workers'],
    ['changesFolder', 'thrown', 'process.chdir() is not supported in workers'],
    ['usesUpHeap', 'out-of-memory', "used up the thread's JavaScript heap of 64 MB"],
  ],
  process: [
    ['exits', 'process-crashed', 'ended with exit code 3'],
    ['aborts', 'process-crashed', 'was ended by SIGABRT'],
    ['segfaults', 'process-crashed', 'was ended by SIGSEGV'],
    ['disconnects', 'process-crashed', 'ended with exit code 1'],
    ['usesUpHeap', 'out-of-memory', ' of 64 MB'],
    ['growsArray', 'out-of-memory', ' of 64 MB'],
    ['growsNumbers', 'out-of-memory', ' of 64 MB'],
    ['growsNumberMap', 'out-of-memory', ' of 64 MB'],
    ['growsMap', 'out-of-memory', ' of 64 MB'],
    ['growsString', 'out-of-memory', ' of 64 MB'],
  ],
};

/** How an engine is asked to execute an assignment. */
export type Execute = (engine: Engine, given: Assignment, options: ExecuteOptions) => Promise<Outcome>;

const directly: Execute = (engine, given, options) => engine.execute(given, options);

/**
 * In a batch, behind as many no-ops as are given, and before others. As often as it is returned, which happens where the
 * machine is slow.
 */
export function inBatch(noOps: number): Execute {
  const noOp = (): Assignment =>
    assignment(temporaryFolder(), workstream('ws-no-op', [behaviour('nothing')]));
  return async (engine, given, options) => {
    const { signal } = options;
    for (;;) {
      const around = (): Assignment[] => Array.from({ length: noOps }, noOp);
      const outcomes = new Map<number, Outcome>();
      await engine.executeBatch?.([...around(), given, ...around()], {
        signal,
        onMessage: (index, message) => (index === noOps ? options.onMessage(message) : undefined),
        onOutcomes: (arrived) => {
          for (const { index, outcome } of arrived) {
            expect(outcomes.has(index)).toBe(false);
            outcomes.set(index, outcome);
          }
        },
      });
      const outcome = outcomes.get(noOps);
      outcomes.delete(noOps);
      for (const { status, warnings } of outcomes.values())
        expect([status, warnings]).toEqual(['completed', []]);
      if (outcome !== undefined) return outcome;
    }
  };
}

/**
 * @param place what its agents live in.
 * @param execute how it is asked for module steps; then the others are left out.
 * @param traits what its first agent is called, and whether it takes tool steps.
 */
export function describeEngine(
  name: string,
  place: 'thread' | 'process',
  create: () => Engine | Promise<Engine>,
  execute: Execute | null = null,
  { agentId = 'agent-1', tools = true }: { agentId?: string; tools?: boolean } = {},
): void {
  describe(name, () => {
    let engine: Engine;
    beforeAll(async () => {
      engine = await create();
    });
    afterAll(() => engine.close());

    async function run(
      steps: Step[],
      fields: Partial<Assignment> = {},
      signal?: AbortSignal,
      told: (message: EngineMessage) => void = () => undefined,
    ): Promise<Run> {
      const folder = fields.workspace ?? temporaryFolder();
      const messages: EngineMessage[] = [];
      const given = assignment(folder, workstream('ws-a', steps), fields);
      const outcome = await (execute ?? directly)(engine, given, {
        signal: signal ?? new AbortController().signal,
        onMessage: (message) => {
          messages.push(message);
          told(message);
        },
      });
      return { outcome, messages, folder };
    }

    /** Stops it as soon as it says something. */
    function runAndStop(steps: Step[], graceSeconds = 0.2): Promise<Run> {
      const stop = new AbortController();
      const fields = { limits: { timeoutSeconds: 600, graceSeconds, maxOutputMb: 20 } };
      return run(steps, fields, stop.signal, ({ type }) => {
        if (type === 'progress') stop.abort('cancelled');
      });
    }

    const limits = (timeoutSeconds: number, maxOutputMb = 20, graceSeconds = 0.2) => ({
      limits: { timeoutSeconds, graceSeconds, maxOutputMb },
    });
    /** How long an agent may take to say itself what came of what it was told to end. */
    const LONG_GRACE = 30;

    /** Until its limit, which is raised until the code has made a file before it passed. */
    async function runToLimit(steps: Step[], file: string): Promise<Run & { seconds: number }> {
      for (let seconds = 0.5; ; seconds *= 2) {
        const found = await run(steps, limits(seconds));
        if (existsSync(file)) return { ...found, seconds };
      }
    }

    /** The next workstream on the same threads must not notice anything. */
    async function expectUntouched(): Promise<void> {
      const results = await Promise.all([run([behaviour('default', 1)]), run([behaviour('default', 2)])]);
      expect(results.map(({ outcome }) => outcome.failure)).toEqual([null, null]);
      expect(results.map(({ outcome }) => outcome.warnings)).toEqual([[], []]);
    }

    describe('module steps', () => {
      test('get their input and dependencies, and give output, files and metrics', async () => {
        const { outcome } = await run([behaviour('default', { limit: 5 })], {
          dependencies: { 'ws-b': [1] },
        });
        expect(outcome).toMatchObject({
          status: 'completed',
          failure: null,
          filesModified: ['a.txt'],
          metrics: { count: 3 },
        });
        expect(JSON.parse(outcome.output ?? '')).toEqual({
          input: { limit: 5 },
          dependencies: { 'ws-b': [1] },
          agent: agentId,
          run: 'ma-run-20260102-030405',
        });
      });

      test('may return nothing', async () => {
        const { outcome } = await run([behaviour('nothing')]);
        expect(outcome).toMatchObject({ status: 'completed', output: null });
      });

      test('in TypeScript load with their imports, enums, packages and own URL', async () => {
        const { outcome } = await run([moduleStep(fixture('typed.ts'), 'default', { value: 21 })]);
        expect(outcome.failure).toBeNull();
        expect(JSON.parse(outcome.output ?? '')).toEqual({
          doubled: 42,
          colour: 'red',
          url: 'typed.ts',
          parsed: 21,
        });
      });

      test('in TypeScript have stacks with the line of the source', async () => {
        const { outcome } = await run([moduleStep(fixture('typed.ts'), 'fails')]);
        expect(outcome.failure).toMatchObject({ reason: 'thrown' });
        expect(JSON.stringify(outcome.failure)).toContain(`${fixture('typed.ts')}:18:`);
      });

      test('print into the log file, and log and report progress through the engine', async () => {
        const printed = await run([behaviour('prints')]);
        expect(readFileSync(printed.outcome.logFile ?? '', 'utf8')).toBe(
          'to standard output\nto standard error\nto descriptor 1\n',
        );
        const { messages } = await run([behaviour('logs')]);
        expect(messages).toContainEqual({ type: 'progress', fraction: 0.5, text: 'half way' });
        const line = messages.find((message) => message.type === 'log')?.line ?? '';
        expect(JSON.parse(line)).toMatchObject({
          n: 3,
          msg: 'message',
          agent_id: agentId,
          workstream_id: 'ws-a',
        });
      });

      test('have in their log what their child processes print to an output that they inherit', async () => {
        const { outcome } = await run([behaviour('childrenInherit')]);
        expect([outcome.failure, outcome.output]).toEqual([null, JSON.stringify('7\n8\n')]);
        expect(readFileSync(outcome.logFile ?? '', 'utf8')).toBe('1\n2\n3\n4\n5\n6\n');
      });

      test('warn without failing', async () => {
        const { outcome } = await run([behaviour('warns')]);
        expect(outcome).toMatchObject({ status: 'completed', warnings: ['odd, but not fatal'] });
      });

      test.each([
        ['throwsError', 'TypeError: wrong kind (E_KIND)'],
        ['throwsString', 'thrown string: only text'],
        ['throwsNull', 'thrown null: null'],
        ['throwsCycle', 'Error: round and round'],
        ['throwsHostile', 'Error: a value was thrown that can not be read'],
        ['throwsUnspeakable', 'Error: a value was thrown that can not be read'],
        ['rejects', 'RangeError: out of range'],
        ['leavesRejection', 'A promise was rejected and nothing handled it: Error: nobody listens'],
        ['throwsInTimer', 'An exception in a callback was not caught: Error: in a timer'],
      ])('%s: fails with what was thrown', async (name, message) => {
        const { outcome } = await run([behaviour(name)]);
        expect(outcome.failure).toMatchObject({ reason: 'thrown' });
        expect(outcome.failure && describeFailure(outcome.failure)).toBe(message);
        await expectUntouched();
      });

      test.each([
        ['returnsFunction', 'output.run is a function'],
        ['returnsSymbol', 'a symbol'],
        ['returnsMap', 'output.found is a Map'],
        ['returnsCycle', 'output.self contains itself'],
        ['returnsHuge', '200 MB and may have 16'],
        ['returnsBuffer', 'binary data'],
        ['returnsTooDeep', 'its output is nested more than 500 levels deep'],
        ['returnsReservedMetric', 'its metric "__proto__" has a name that is reserved'],
        ['returnsNumber', 'it returned a number'],
        ['returnsError', 'it returned an Error where output'],
        ['generates', '"generates" is a generator function'],
        ['generatesLater', '"generatesLater" is a generator function'],
        ['returnsUnknownField', 'it returned an object'],
      ])('%s: fails as an invalid result', async (name, message) => {
        const { outcome } = await run([behaviour(name)]);
        expect(outcome.failure).toMatchObject({ reason: 'invalid-result' });
        expect(outcome.failure && describeFailure(outcome.failure)).toContain(message);
      });

      test('that set process.exitCode have failed, in that workstream alone', async () => {
        const { outcome } = await run([behaviour('setsExitCode')]);
        expect(outcome.failure).toMatchObject({
          reason: 'exit-non-zero',
          exitCode: 3,
          tail: '3 tests failed\n',
        });
        expect(outcome.failure && describeFailure(outcome.failure)).toContain('set process.exitCode to 3');
        expect((await run([behaviour('setsExitCodeBack')])).outcome.failure).toBeNull();
        await expectUntouched();
      });

      test('in CommonJS export what module.exports has', async () => {
        const compiled = fixture('compiled.cjs');
        const outputs = [];
        for (const name of ['default', 'named', 'hidden'])
          outputs.push((await run([moduleStep(compiled, name)])).outcome.output);
        expect(outputs).toEqual(['"default"', '"named"', '"hidden"']);
        const { outcome } = await run([moduleStep(compiled, 'nope')]);
        expect(outcome.failure && describeFailure(outcome.failure)).toBe(
          `The module ${compiled} has no export "nope"; it has: default, hidden, named.`,
        );
        const limit = await run([moduleStep(compiled, 'limit')]);
        expect(limit.outcome.failure && describeFailure(limit.outcome.failure)).toContain(
          `The export "limit" of the module ${compiled} is a number and no function; it has: `,
        );
        expect((await run([moduleStep(fixture('plain.cjs'))])).outcome.output).toBe('"plain"');
      });

      test('a number that JSON has no word for is stored as null, with a warning', async () => {
        const { outcome } = await run([behaviour('returnsNaN')]);
        expect(outcome.output).toBe('{"ratio":null}');
        expect(outcome.warnings).toEqual([
          "output.ratio is NaN, which JSON can't hold; it is stored as null.",
        ]);
      });

      test.each(CONTAINED[place])('%s: is contained', async (name, reason, message) => {
        const { outcome } = await run([behaviour(name)]);
        expect(outcome.failure).toMatchObject({ reason });
        expect(outcome.failure && describeFailure(outcome.failure)).toContain(message);
        await expectUntouched();
      });

      test('what never ends is ended, asynchronously and synchronously', async () => {
        for (const name of ['neverSettles', 'neverEnds']) {
          const { outcome, messages } = await run([behaviour(name)], limits(0.2));
          expect(outcome.failure).toMatchObject({ reason: 'timed-out', seconds: 0.2, step: null });
          expect(messages.map(({ type }) => type)).toEqual(place === 'thread' ? ['replaced'] : []);
        }
        await expectUntouched();
      });

      test("a step's own limit ends a synchronous loop too", async () => {
        const { outcome } = await run([{ ...behaviour('neverEnds'), timeoutSeconds: 0.2 }]);
        expect(outcome.failure).toMatchObject({ reason: 'timed-out', seconds: 0.2, step: 'step-1' });
      });

      test('get the grace to clean up when they are told to stop', async () => {
        const { outcome, folder, messages } = await runAndStop([behaviour('stopsWhenTold')], 60);
        expect(outcome.failure).toMatchObject({ reason: 'cancelled' });
        expect(readFileSync(join(folder, 'cleaned-up'), 'utf8')).toBe('yes');
        expect(messages).toEqual([{ type: 'progress', fraction: null, text: 'listening' }]);
      });

      test('timers left behind do not reach the next workstream', async () => {
        const { outcome } = await run([behaviour('leavesTimers')]);
        expect(outcome.status).toBe('completed');
        expect(outcome.warnings).toEqual([
          `It left 1 × Timeout active; its ${place === 'thread' ? 'thread was replaced' : 'process was ended'}.`,
        ]);
        await expectUntouched();
      });

      test('child processes left behind are ended', async () => {
        const folder = temporaryFolder();
        const { outcome } = await run([behaviour('startsChild', { pidFile: join(folder, 'pid') })]);
        const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'));
        expect(outcome.warnings).toEqual([leftOne(pid)]);
        expect(groupIsAlive(pid)).toBe(false);
      });

      test.runIf(hasProcessTable)(
        'what they leave by functions that wait is ended, whatever it left',
        async () => {
          const folder = temporaryFolder();
          const { outcome } = await run([behaviour('leavesSynchronously', { folder })]);
          const pids = ['exec', 'file', 'spawn'].map((name) => pidIn(join(folder, name)));
          expect(outcome).toMatchObject({ status: 'completed' });
          expect(outcome.warnings[0]).toMatch(/^It left 3 processes running; they were ended: /);
          for (const pid of pids) expect(outcome.warnings[0]).toContain(`${pid} (`);
          expect(pids.map(isLiving)).toEqual([false, false, false]);
        },
      );

      test.runIf(hasProcessTable)('what their own threads leave is ended', async () => {
        const folder = temporaryFolder();
        const { outcome } = await run([behaviour('leavesInThread', { folder })]);
        const pid = pidIn(join(folder, 'thread'));
        expect(outcome.warnings).toEqual([leftOne(pid)]);
        expect(isLiving(pid)).toBe(false);
      });

      test.each(['waitsForChild', 'waitsForChildAndGoesOn', 'waitsForStranger'])(
        '%s: a child process that is waited for is ended at the limit, and it is the limit that counts',
        async (name) => {
          const pidFile = join(temporaryFolder(), 'pid');
          const { outcome } = await runToLimit([behaviour(name, { pidFile })], pidFile);
          expect(outcome).toMatchObject({ status: 'failed', output: null, failure: { reason: 'timed-out' } });
          expect(isLiving(pidIn(pidFile))).toBe(false);
          await expectUntouched();
        },
      );

      test('that are blocked in a system call are given up, and their agent goes on', async () => {
        const folder = temporaryFolder();
        const pipe = join(folder, 'pipe');
        execFileSync('mkfifo', [pipe]);
        const { outcome, seconds } = await runToLimit([behaviour('readsPipe', { pipe })], `${pipe}.next`);
        expect(outcome.failure).toMatchObject({ reason: 'timed-out', seconds });
        await expectUntouched();
        // A thread that is still there comes back. Opened to read as well, this waits for no reader.
        if (place === 'thread') closeSync(openSync(pipe, constants.O_RDWR));
      });

      test.each(['ownProcess', 'parent', 'group', 'everything', 'first'])(
        '%s: what runs Millrace is not signalled by them',
        async (name) => {
          const { outcome } = await run([behaviour('signals', name)]);
          const dies = place === 'process' && (name === 'ownProcess' || name === 'group');
          expect(outcome.failure).toMatchObject({ reason: dies ? 'process-crashed' : 'thrown' });
          if (!dies) expect(JSON.stringify(outcome.failure)).toContain('was refused');
          await expectUntouched();
        },
      );

      test('their child processes that inherit the input find it at its end', async () => {
        const { outcome } = await run([behaviour('inheritsInput')]);
        expect([outcome.failure, outcome.output]).toEqual([null, '0']);
      });

      test('child processes of a thread that is blocked are ended with it', async () => {
        const folder = temporaryFolder();
        const pidFile = join(folder, 'pid');
        const { outcome } = await runToLimit([behaviour('startsChildAndLoops', { pidFile })], pidFile);
        expect(outcome.failure).toMatchObject({ reason: 'timed-out' });
        expect(groupIsAlive(Number(readFileSync(pidFile, 'utf8')))).toBe(false);
      });

      test('their child processes know which workstream they belong to', async () => {
        const { outcome } = await run([behaviour('childEnvironment')]);
        expect(JSON.parse(outcome.output ?? '')).toMatchObject({
          MILLRACE_RUN_ID: 'ma-run-20260102-030405',
          MILLRACE_WORKSTREAM_ID: 'ws-a',
          MILLRACE_AGENT_ID: agentId,
          MILLRACE_ATTEMPT: '1',
        });
      });

      test('that can not be loaded say why', async () => {
        const missing = await run([moduleStep('/nowhere/module.mjs')]);
        expect(missing.outcome.failure).toEqual({
          reason: 'module-not-found',
          module: '/nowhere/module.mjs',
        });
        const noExport = await run([moduleStep(fixture('typed.ts'), 'nope')]);
        expect(noExport.outcome.failure).toMatchObject({
          reason: 'export-not-found',
          available: ['default', 'fails'],
        });
        const syntax = await run([moduleStep(fixture('syntax-error.mjs'))]);
        expect(syntax.outcome.failure).toMatchObject({ reason: 'module-load-failed' });
        expect(JSON.stringify(syntax.outcome.failure)).toContain('syntax-error.mjs:1');
        const typescript = await run([moduleStep(fixture('syntax-error.ts'))]);
        expect(JSON.stringify(typescript.outcome.failure)).toContain('syntax-error.ts:1:30');
        const never = await run([moduleStep(fixture('never-loads.mjs'))], limits(0.2));
        expect(never.outcome.failure).toMatchObject({ reason: 'timed-out' });
        await expectUntouched();
      });
    });

    if (execute !== null) return;

    describe('command steps', () => {
      test('keep the whole output in a file and its end in the result', async () => {
        const { outcome } = await run([runStep('seq 1 10000; echo error >&2')]);
        expect(outcome).toMatchObject({ status: 'completed', steps: [{ exitCode: 0, status: 'completed' }] });
        expect(readFileSync(outcome.logFile ?? '', 'utf8').split('\n')).toHaveLength(10_002);
        expect(outcome.steps[0]?.tail).toMatch(/^….*9999\n10000\nerror\n$/s);
        expect(outcome.steps[0]?.tail.length).toBeLessThanOrEqual(4_097);
      });

      test('without output leave no file', async () => {
        const { outcome, folder } = await run([runStep('true')]);
        expect(outcome.logFile).toBeNull();
        expect(existsSync(join(folder, 'ws-a.log'))).toBe(false);
      });

      test('without a shell get their arguments as they are', async () => {
        const { outcome } = await run([commandStep(['printf', '%s', '$HOME; echo "x"'])]);
        expect(readFileSync(outcome.logFile ?? '', 'utf8')).toBe('$HOME; echo "x"');
      });

      test('fail by exit code, by signal, and when there is no such command or folder', async () => {
        const exit = await run([runStep('echo why >&2; exit 3')]);
        expect(exit.outcome.failure).toMatchObject({ reason: 'exit-non-zero', exitCode: 3, tail: 'why\n' });
        const signal = await run([runStep('kill -KILL $$')]);
        expect(signal.outcome.failure).toMatchObject({ reason: 'killed-by-signal', signal: 'SIGKILL' });
        const missing = await run([commandStep(['no-such-command'])]);
        expect(missing.outcome.failure).toEqual({ reason: 'command-not-found', command: 'no-such-command' });
        const folder = await run([runStep('true', { cwd: '/no/such/folder' })]);
        expect(folder.outcome.failure).toMatchObject({ reason: 'workspace-error' });
      });

      test('of several lines end at the first that fails; bash sees all of a pipeline', async () => {
        const { outcome } = await run([runStep('echo built\nfalse\necho deployed')]);
        expect(outcome.failure).toMatchObject({ reason: 'exit-non-zero', exitCode: 1 });
        expect(readFileSync(outcome.logFile ?? '', 'utf8')).toBe('built\n');
        const piped = await run([runStep('false | cat', { shell: 'bash' })]);
        expect(piped.outcome.failure).toMatchObject({ reason: 'exit-non-zero', exitCode: 1 });
        expect((await run([runStep('false | cat')])).outcome.failure).toBeNull();
        const configured = await run([runStep('false | cat')], { shell: 'bash' });
        expect(configured.outcome.failure).toMatchObject({ reason: 'exit-non-zero' });
      });

      test('that ignore SIGTERM are ended all the same, with what they started', async () => {
        const { outcome } = await runAndStop([
          runStep("trap '' TERM; echo $$; sleep 1000 & wait; sleep 1000"),
        ]);
        expect(outcome.failure).toMatchObject({ reason: 'cancelled' });
        expect(groupIsAlive(Number(readFileSync(outcome.logFile ?? '', 'utf8')))).toBe(false);
      });

      test('that leave processes behind are completed with a warning', async () => {
        const { outcome } = await run([runStep('sleep 1000 & echo $$')]);
        expect(outcome).toMatchObject({ status: 'completed' });
        expect(outcome.warnings).toEqual([
          expect.stringMatching(/^It left a process running; it was ended: \d+ \(.*sleep.*\)\.$/),
        ]);
        expect(groupIsAlive(Number(readFileSync(outcome.logFile ?? '', 'utf8')))).toBe(false);
      });

      test
        .runIf(hasProcessTable)
        .each([
          'setsid sleep 1000 > /dev/null 2>&1 & echo $! > left',
          '(setsid sleep 1000 > /dev/null 2>&1 & echo $! > left)',
          'nohup sleep 1000 > /dev/null 2>&1 & echo $! > left',
        ])(
        'that end by themselves are completed with a warning, wherever what they left went: %s',
        async (line) => {
          const { outcome, folder } = await run([runStep(line)]);
          const pid = pidIn(join(folder, 'left'));
          expect(outcome).toMatchObject({ status: 'completed', warnings: [leftOne(pid)] });
          expect(isLiving(pid)).toBe(false);
        },
      );

      test.runIf(hasProcessTable)(
        'are told of what they may have left, which is not ended where nothing proves whose it is',
        async () => {
          // It clears its environment, leaves its group, and loses its parent.
          const line =
            "env -i setsid sh -c 'echo $$ > left.part; mv left.part left; exec sleep 1000' > /dev/null 2>&1 &";
          const { outcome, folder } = await run([runStep(`${line} while ! test -e left; do :; done`)]);
          const pid = pidIn(join(folder, 'left'));
          expect(outcome.warnings).toEqual([
            expect.stringMatching(`^It may have left running what nothing proves .* ${pid} \\(`),
          ]);
          expect(isLiving(pid)).toBe(true);
          process.kill(pid, 'SIGKILL');
        },
      );

      test('that print without end are ended at the limit', async () => {
        const { outcome } = await run([runStep('yes')], limits(60, 1, LONG_GRACE));
        expect(outcome.failure).toMatchObject({ reason: 'output-limit', limitMb: 1, command: 'yes' });
      });

      test('that print too much fail, however soon they have ended', async () => {
        const line = 'head -c 1100000 /dev/zero';
        const { outcome } = await run([runStep(line)], limits(60, 1));
        expect(outcome.failure).toMatchObject({ reason: 'output-limit', limitMb: 1, command: line });
      });

      test('that print without end are ended at the limit where their thread waits for them, too', async () => {
        const { outcome } = await run([behaviour('floodsWhileBlocked')], limits(60, 1));
        expect(outcome.failure).toMatchObject({ reason: 'output-limit', limitMb: 1, command: null });
      });

      test('may print binary data and a line of 50 MB', async () => {
        const print = `${process.execPath} -e 'process.stdout.write(Buffer.alloc(50e6, 255))'`;
        const { outcome } = await run([runStep(print)], limits(60, 100));
        expect(outcome.status).toBe('completed');
        expect(outcome.steps[0]?.tail.length).toBeLessThanOrEqual(4_097);
      });

      test('run in order; a failure ends the workstream unless it says otherwise', async () => {
        const steps = [
          runStep('echo 1; exit 1', { id: 'one', continueOnError: true }),
          runStep('echo 2; exit 2', { id: 'two' }),
          runStep('echo 3', { id: 'three' }),
        ];
        const { outcome } = await run(steps);
        expect(readFileSync(outcome.logFile ?? '', 'utf8')).toBe('1\n2\n');
        expect(outcome.failure).toMatchObject({ reason: 'exit-non-zero', exitCode: 2 });
        expect(outcome.warnings).toEqual([
          'Step one failed and was passed over: `echo 1; exit 1` ended with exit code 1.',
        ]);
      });
    });

    test.runIf(tools)('a tool step fails and names the tool', async () => {
      const tool: Step = { ...runStep(''), kind: 'tool', tool: 'aider', tasks: ['x'] };
      const { outcome } = await run([tool]);
      expect(outcome.failure).toEqual({ reason: 'tool-not-found', tool: 'aider', program: null });
    });

    test('what code says in the name of an agent is not heard, of its own execution or of another', async () => {
      const stranger = spawn('sleep', ['1000'], { detached: true });
      const stop = new AbortController();
      const other = run([runStep('sleep 1000')], { executionId: 2_000_000 }, stop.signal);
      const executionIds = [2_000_000, 2_000_001];
      const input = { executionIds, outcome: JSON.stringify(completed()), pid: stranger.pid ?? 0 };
      const forging = await run([behaviour('forges', input)], { executionId: 2_000_001 });
      expect(forging.outcome).toMatchObject({ status: 'completed', output: '"its own"', warnings: [] });
      expect(forging.messages).toEqual([]);
      stop.abort('cancelled');
      const { outcome, messages } = await other;
      expect([outcome.failure?.reason, messages]).toEqual(['cancelled', []]);
      expect([stranger.exitCode, stranger.signalCode]).toEqual([null, null]);
      stranger.kill('SIGKILL');
    });

    test('code does not get to see by what an agent is known', async () => {
      const { outcome } = await run([behaviour('readsSettings')]);
      expect(outcome.output).toBe(JSON.stringify(place === 'thread' ? '{}' : 'null'));
    });

    test.each<CancelReason>(['interrupted', 'cancelled'])('an execution can be %s', async (because) => {
      const controller = new AbortController();
      const folder = temporaryFolder();
      const started = run([runStep('echo started; sleep 1000')], { workspace: folder }, controller.signal);
      const sync = run([behaviour('neverEnds')], {}, controller.signal);
      controller.abort(because);
      const outcomes = await Promise.all([started, sync]);
      expect(outcomes.map(({ outcome }) => outcome.failure?.reason)).toEqual([because, because]);
    });

    test('acceptance tests decide; prose is listed and never run', async () => {
      const folder = temporaryFolder();
      const definition = workstream('ws-a', [runStep('true')], {
        acceptanceTests: [
          acceptanceCommand('true'),
          { kind: 'text', text: 'test -f missing' },
          { kind: 'text', text: 'Looks good to a person' },
          { kind: 'manual', text: 'rm -rf x' },
        ],
      });
      const outcome = await engine.execute(assignment(folder, definition), {
        signal: new AbortController().signal,
        onMessage: () => undefined,
      });
      expect(outcome.tests.map(({ status }) => status)).toEqual(['passed', 'failed', 'manual', 'manual']);
      expect(outcome.failure).toMatchObject({
        reason: 'acceptance-failed',
        tests: [{ name: 'test -f missing', detail: 'exit code 1' }],
      });
    });
  });
}
