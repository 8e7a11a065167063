/** What every engine must do with tool steps, however the tool's program behaves. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Assignment } from '../../src/domain/assignment.ts';
import type { Engine, EngineMessage } from '../../src/domain/engine.ts';
import { describeFailure } from '../../src/domain/failure-message.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import type { ToolSettings } from '../../src/domain/tool.ts';
import type { Step, ToolStep, Workstream } from '../../src/domain/workstream.ts';
import { livingProcesses, startedWith } from '../../src/os/process-table.ts';
import { assignment, customTool, moduleStep, runStep, toolStep, workstream } from '../kit/definitions.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const program = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/tools/${name}`, import.meta.url));
const modules = fileURLToPath(new URL('../fixtures/modules/behaviours.mjs', import.meta.url));

interface Given {
  tool?: ToolSettings;
  steps?: Step[];
  definition?: Partial<Workstream>;
  assignment?: Partial<Assignment>;
  /** Ends the execution when such progress is seen. */
  cancelAt?: string;
}

interface Run {
  outcome: Outcome;
  messages: EngineMessage[];
  folder: string;
  /** The whole output. */
  log: () => string;
}

/** Living processes that were started with this variable. */
const withVariable = (name: string, value: string): number[] =>
  [...livingProcesses()].map(({ pid }) => pid).filter((pid) => startedWith(pid, name, value));

export function describeToolSteps(name: string, create: () => Engine): void {
  describe(name, () => {
    let engine: Engine;
    beforeAll(() => {
      engine = create();
    });
    afterAll(() => engine.close());

    async function run(given: Given): Promise<Run> {
      const folder = temporaryFolder();
      const workspace = join(folder, 'workspace');
      mkdirSync(workspace);
      const messages: EngineMessage[] = [];
      const controller = new AbortController();
      const definition = workstream('ws-a', given.steps ?? [toolStep('agent', ['do it'])], given.definition);
      const tools: Record<string, ToolSettings> = given.tool === undefined ? {} : { agent: given.tool };
      const fields = { workspace, tools, ...given.assignment };
      const outcome = await engine.execute(assignment(folder, definition, fields), {
        signal: controller.signal,
        onMessage: (message) => {
          messages.push(message);
          if (message.type === 'progress' && message.text === given.cancelAt) controller.abort('cancelled');
        },
      });
      return { outcome, messages, folder: workspace, log: () => readFileSync(outcome.logFile ?? '', 'utf8') };
    }

    const explained = ({ failure }: Outcome): string => (failure === null ? '' : describeFailure(failure));
    const limits = (timeoutSeconds: number, graceSeconds = 0.2, maxOutputMb = 20) => ({
      limits: { timeoutSeconds, graceSeconds, maxOutputMb },
    });

    describe('a tool that behaves', () => {
      test('gets its prompt word for word, by any of the three ways', async () => {
        const task = 'Say "it\'s", `date`, $(id), ${HOME}, \\n, {model}, %s\nand a second line; rm -rf *';
        const steps = [toolStep('agent', [task])];
        const byInput = await run({ tool: customTool([program('behaves.sh')]), steps });
        expect(byInput.outcome.failure).toBeNull();
        const prompt = readFileSync(join(byInput.folder, 'prompt-seen'), 'utf8');
        expect(prompt).toContain(task);

        const command: [string, ...string[]] = [program('behaves.sh'), '--message={prompt}', '-m', '{model}'];
        const byArgument = await run({
          tool: customTool(command, { prompt: 'argument', model: 'm1' }),
          steps,
        });
        const seen = readFileSync(join(byArgument.folder, 'arguments-seen'), 'utf8');
        expect(seen).toBe(`--message=${prompt}\n-m\nm1\n`);
        expect(readFileSync(join(byArgument.folder, 'prompt-seen'), 'utf8')).toBe('');

        const byFile = await run({ tool: customTool([program('behaves.sh')], { prompt: 'file' }), steps });
        const file = readFileSync(join(byFile.folder, 'arguments-seen'), 'utf8').trim();
        expect(readFileSync(file, 'utf8')).toBe(prompt);
        expect(file).toMatch(/ws-a\.tool\/step-1\/prompt\.txt$/);
      });

      test('is reported with what it said, and its output is kept', async () => {
        const { outcome, log } = await run({ tool: customTool([program('behaves.sh')]) });
        expect(outcome).toMatchObject({
          status: 'completed',
          warnings: [],
          output: '{"text":"working\\nall done"}',
        });
        expect(outcome.steps[0]).toMatchObject({
          kind: 'tool',
          exitCode: 0,
          tool: { tool: 'agent', version: null, sessionId: null, text: 'working\nall done', costUsd: null },
        });
        expect(outcome.steps[0]?.tool?.durationSeconds).toBeGreaterThan(0);
        expect(log().split('\n').toSorted()).toEqual(['', 'a remark', 'all done', 'working']);
      });

      test('gets its environment from the step, the configuration and the run', async () => {
        const { folder } = await run({
          tool: customTool([program('behaves.sh')], { env: { B: 'settings', C: 'settings' } }),
          steps: [toolStep('agent', ['do it'], { env: { A: 'step', B: 'step' } })],
        });
        const seen = readFileSync(join(folder, 'environment-seen'), 'utf8').split('\n');
        expect(seen).toEqual(expect.arrayContaining(['A=step', 'B=settings', 'C=settings']));
        expect(seen).toContain('MILLRACE_WORKSTREAM_ID=ws-a');
        expect(seen.filter((line) => /^MILLRACE_EXECUTION=.*[0-9a-f]{8}-/.test(line))).toHaveLength(1);
      });

      test('runs in the folder of its step', async () => {
        const { outcome, folder } = await run({
          tool: customTool([program('behaves.sh')]),
          steps: [runStep('mkdir below'), toolStep('agent', ['x'])],
        });
        expect(outcome.failure).toBeNull();
        const cwd = join(folder, 'below');
        const again = await run({
          tool: customTool([program('behaves.sh')]),
          steps: [toolStep('agent', ['x'], { cwd })],
        });
        expect(again.outcome.failure).toBeNull();
        expect(readFileSync(join(cwd, 'prompt-seen'), 'utf8')).toContain('1. x');
      });

      test('does not take the place of what a module gives to dependents', async () => {
        const { outcome } = await run({
          tool: customTool([program('behaves.sh')]),
          steps: [moduleStep(modules, 'default', 1), toolStep('agent', ['x'])],
        });
        expect(JSON.parse(outcome.output ?? '')).toMatchObject({ input: 1 });
      });

      test('reads no prompt of an earlier attempt', async () => {
        const folder = temporaryFolder();
        const stale = join(folder, 'ws-a.tool', 'step-1', 'last-message.txt');
        mkdirSync(join(stale, '..'), { recursive: true });
        writeFileSync(stale, 'done');
        const { outcome } = await run({
          tool: customTool(['test', '!', '-e', stale], { prompt: 'stdin' }),
          assignment: { logFile: join(folder, 'ws-a.log') },
        });
        expect(outcome.failure).toBeNull();
      });
    });

    describe('standard input', () => {
      const large = 'x'.repeat(1e6);

      test('of 1 MB may stay unread', async () => {
        const { outcome } = await run({
          tool: customTool([program('never-reads.sh')]),
          steps: [toolStep('agent', [large])],
        });
        expect(outcome).toMatchObject({ failure: null, output: '{"text":"read nothing"}' });
      });

      test('of 1 MB arrives whole, and ends', async () => {
        const { outcome, folder } = await run({
          tool: customTool([program('behaves.sh')]),
          steps: [toolStep('agent', [large])],
        });
        expect(outcome.failure).toBeNull();
        expect(readFileSync(join(folder, 'prompt-seen'), 'utf8')).toContain(large);
      });

      test('is at its end at once where the prompt goes another way', async () => {
        const tool = customTool(['cat'], { prompt: 'argument', args: ['-'], env: {} });
        const { outcome } = await run({
          tool: { ...tool, command: ['sh', '-c', 'cat; echo over', '{prompt}'] },
        });
        expect(outcome).toMatchObject({ failure: null, output: '{"text":"over"}' });
      });

      test('as an argument can be too long, which is said', async () => {
        const { outcome } = await run({
          tool: customTool([program('behaves.sh')], { prompt: 'argument' }),
          steps: [toolStep('agent', [large])],
        });
        expect(outcome.failure).toMatchObject({ reason: 'tool-error' });
        expect(explained(outcome)).toContain('Its arguments are too long');
      });
    });

    describe('what it prints', () => {
      test('may be one line of 5 MB, and bytes that part a character', async () => {
        const tool = customTool([process.execPath, program('prints-large-line.mjs')]);
        const { outcome, log } = await run({ tool });
        expect(outcome.failure).toBeNull();
        expect(outcome.steps[0]?.tool?.text).toMatch(/^…x+"}\n{"text":"grüße"}$/);
        expect(outcome.steps[0]?.tool?.text).toHaveLength(20_000);
        expect(JSON.parse(log().split('\n')[0] ?? '')).toEqual({ text: 'x'.repeat(5e6) });
      });

      test('has its limit', async () => {
        const { outcome } = await run({ tool: customTool(['yes']), assignment: limits(60, 0.2, 1) });
        expect(outcome.failure).toMatchObject({ reason: 'output-limit', limitMb: 1, command: 'yes' });
        expect(outcome.steps[0]?.tool).toMatchObject({ tool: 'agent' });
      });

      test('is live progress', async () => {
        const { messages } = await run({ tool: customTool([program('hangs.sh')]), cancelAt: 'begun' });
        expect(messages).toContainEqual({ type: 'progress', fraction: null, text: 'begun' });
      });
    });

    describe('fails', () => {
      test('when no tool of that name is configured, or its program or folder is missing', async () => {
        const unknown = await run({});
        expect(unknown.outcome.failure).toEqual({ reason: 'tool-not-found', tool: 'agent', program: null });
        const missing = await run({ tool: customTool(['no-such-agent']) });
        expect(missing.outcome.failure).toEqual({
          reason: 'tool-not-found',
          tool: 'agent',
          program: 'no-such-agent',
        });
        const folder = await run({
          tool: customTool(['true']),
          steps: [toolStep('agent', [], { cwd: '/no/such/folder' })],
        });
        expect(folder.outcome.failure).toMatchObject({ reason: 'workspace-error' });
      });

      test('when the interpreter of its program is missing', async () => {
        const file = join(temporaryFolder(), 'agent');
        writeFileSync(file, '#!/no/such/interpreter\n', { mode: 0o755 });
        const { outcome } = await run({ tool: customTool([file]) });
        expect(explained(outcome)).toContain(
          'its first line names the interpreter /no/such/interpreter, which does not exist here',
        );
      });

      test.each<[string, [string, ...string[]], Partial<ToolSettings['success']>, string]>([
        ['by exit code', [program('fails.sh'), '3', 'why'], {}, 'agent failed: exit code 3'],
        ['by signal', ['sh', '-c', 'kill -KILL $$'], {}, 'agent failed: it was ended by SIGKILL'],
        [
          'by what it does not say',
          ['echo', 'partly done'],
          { outputMatches: '^done$' },
          'agent failed: its output does not match ^done$',
        ],
        [
          'by what it says',
          ['echo', 'Error: no credit'],
          { outputExcludes: '^Error' },
          'agent failed: its output matches ^Error',
        ],
        [
          'by a rule that is none',
          ['true'],
          { outputMatches: '(' },
          'agent failed: a rule for its output is no regular expression',
        ],
      ])('%s', async (_, command, rules, message) => {
        const success = { exitCodes: [0], outputMatches: null, outputExcludes: null, ...rules };
        const { outcome } = await run({ tool: customTool(command, { success }) });
        expect(outcome.failure).toMatchObject({ reason: 'tool-error' });
        expect(explained(outcome)).toContain(message);
        expect(outcome.output).toBeNull();
        expect(outcome.steps[0]?.tool).not.toBeNull();
      });

      test('not by an exit code that is a success', async () => {
        const success = { exitCodes: [0, 3], outputMatches: '^why$', outputExcludes: null };
        const { outcome } = await run({ tool: customTool([program('fails.sh'), '3', 'why'], { success }) });
        expect(outcome).toMatchObject({ failure: null, steps: [{ exitCode: 3 }] });
      });

      test('before it is started when nothing may be spent any more', async () => {
        const { outcome } = await run({
          tool: customTool(['true']),
          definition: { maxCostUsd: 2 },
          assignment: { budgets: [{ of: 'run', limitUsd: 3, spentUsd: 3.5 }] },
        });
        expect(outcome.failure).toEqual({
          reason: 'budget-exceeded',
          of: 'run',
          limitUsd: 3,
          spentUsd: 3.5,
        });
      });
    });

    describe('setup', () => {
      test('runs before the first step', async () => {
        const { outcome } = await run({
          steps: [runStep('cat prepared')],
          assignment: { setup: 'echo yes > prepared' },
        });
        expect(outcome.steps).toMatchObject([{ tail: 'yes\n' }]);
      });

      test('that fails leaves the steps alone', async () => {
        const { outcome } = await run({
          steps: [runStep('true')],
          assignment: { setup: 'echo no network; exit 7' },
        });
        expect(outcome).toMatchObject({
          steps: [],
          failure: { reason: 'setup-failed', exitCode: 7, tail: 'no network\n' },
        });
      });

      test('has the time of the workstream', async () => {
        const { outcome } = await run({ steps: [], assignment: { setup: 'sleep 100000', ...limits(0.2) } });
        expect(outcome).toMatchObject({ steps: [], failure: { reason: 'timed-out', step: null } });
      });
    });

    describe('when it is stopped', () => {
      test('after its result, what it reported is kept', async () => {
        const { outcome } = await run({ tool: customTool([program('hangs.sh')]), cancelAt: 'begun' });
        expect(outcome).toMatchObject({ failure: { reason: 'cancelled' }, output: null });
        expect(outcome.steps[0]).toMatchObject({
          failure: { reason: 'cancelled' },
          tail: 'begun\n',
          tool: { text: 'begun' },
        });
      });

      test('what it reported is kept when it does not heed SIGTERM, and its thread too', async () => {
        const { outcome, messages } = await run({
          tool: customTool([program('hangs-with-family.sh')]),
          assignment: limits(60, 1.5),
          cancelAt: 'begun',
        });
        expect(outcome).toMatchObject({ failure: { reason: 'cancelled' }, steps: [{ exitCode: null }] });
        expect(outcome.steps[0]?.tool?.text).toContain('begun');
        expect(messages.filter(({ type }) => type === 'replaced')).toEqual([]);
      });

      test('at the limit of its step it has timed out', async () => {
        const steps: [ToolStep] = [toolStep('agent', ['x'], { timeoutSeconds: 0.3 })];
        const { outcome } = await run({ tool: customTool([program('hangs.sh')]), steps });
        expect(outcome.failure).toMatchObject({ reason: 'timed-out', seconds: 0.3, step: 'step-1' });
      });
    });

    describe('what it started', () => {
      const ended = [
        expect.stringMatching(/^It left (a process|\d processes) running; (it was|they were) ended: \d+ \(/),
      ];
      test.each([
        ['leaves-grandchild.sh', [ended]],
        // It ends by itself, because nobody reads any more what it prints, or is ended before that.
        ['leaves-printer.sh', [ended, []]],
      ])('%s: is not waited for', async (file, warnings) => {
        const family = randomUUID();
        const { outcome, log } = await run({
          tool: customTool([program(file)], { env: { FAMILY: family } }),
        });
        expect(outcome.failure).toBeNull();
        expect(log().split('\n').includes('done')).toBe(true);
        expect(warnings).toContainEqual(outcome.warnings);
        expect(withVariable('FAMILY', family)).toEqual([]);
      });

      const runs = Number(process.env['STOPPED_TOOL_RUNS'] ?? 10);
      test(
        `is ended with it in ${runs} of ${runs} runs, whatever group it moved to`,
        async () => {
          const family = randomUUID();
          const tool = customTool([program('hangs-with-family.sh')], { env: { FAMILY: family } });
          let begun = 0;
          let seconds = 0.5;
          for (let number = 0; number < runs; number += 2) {
            // Longer where the machine was too slow to start the program in that time.
            if (number > 0 && begun === 0) seconds *= 2;
            const limit = limits(seconds, 0.1);
            const both = [1, 2].map(() => run({ tool, assignment: limit }));
            for (const { outcome } of await Promise.all(both)) {
              expect(outcome.failure).toMatchObject({ reason: 'timed-out', step: null });
              begun += outcome.steps.filter(({ tail }) => tail.includes('begun')).length;
            }
          }
          expect(withVariable('FAMILY', family)).toEqual([]);
          expect(begun).toBeGreaterThan(0);
        },
        runs * 5_000,
      );

      test('is ended with the execution when only its step was ended', async () => {
        const family = randomUUID();
        const tool = customTool([program('hangs-with-family.sh')], { env: { FAMILY: family } });
        const steps = [
          runStep('sleep 100000 & echo $! > server'),
          toolStep('agent', ['x'], { timeoutSeconds: 0.5, continueOnError: true }),
          runStep('kill -0 $(cat server)'),
        ];
        const { outcome } = await run({ tool, steps });
        expect(outcome.steps.map(({ status }) => status)).toEqual(['completed', 'failed', 'completed']);
        expect(withVariable('FAMILY', family)).toEqual([]);
      });

      test('is ended too when the thread of its agent can not do it any more', async () => {
        const family = randomUUID();
        const start = `FAMILY=${family} setsid ${program('hangs-with-family.sh')} &`;
        const { outcome } = await run({
          steps: [runStep(start), moduleStep(modules, 'exits')],
        });
        expect(outcome.failure?.reason).toMatch(/^(worker|process)-crashed$/);
        expect(withVariable('FAMILY', family)).toEqual([]);
      });
    });
  });
}
