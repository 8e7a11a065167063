/**
 * Whatever a workstream does, its outcome is the same whether its thread gets it alone or in a batch. HOSTILE_COUNT says
 * how many are executed, HOSTILE_SEED repeats an order.
 */
import { setMaxListeners } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import type { Assignment } from '../../src/domain/assignment.ts';
import type { BatchOptions, EngineMessage } from '../../src/domain/engine.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import { ThreadEngine } from '../../src/engine/threads.ts';
import { assignment } from '../kit/definitions.ts';
import { engineSettings } from '../kit/engine-settings.ts';
import { seededRandom } from '../kit/random.ts';
import { type Hostile, hostileWorkstream, hostileWorkstreams } from './hostile.ts';

const AGENTS = 2;
const MEMORY_MB = 96;
const MAX_BATCH = 100;
/** How many batches an agent has at once. */
const IN_HAND = 2;

/** What is known of a workstream that was executed. */
interface Observed {
  outcome: Outcome;
  messages: EngineMessage[];
}

/** Executes all of an agent's assignments. */
type Way = (engine: ThreadEngine, assignments: Assignment[], observe: Observer) => Promise<void>;

interface Observer {
  signal: AbortSignal;
  said(assignment: Assignment, message: EngineMessage): void;
  ended(assignment: Assignment, outcome: Outcome): void;
}

const oneByOne: Way = async (engine, assignments, observer) => {
  for (const next of assignments) {
    const onMessage = (message: EngineMessage): void => observer.said(next, message);
    observer.ended(next, await engine.execute(next, { signal: observer.signal, onMessage }));
  }
};

const inBatches =
  (random: () => number): Way =>
  async (engine, assignments, observer) => {
    const waiting = [...assignments];
    const giveBatches = async (): Promise<void> => {
      while (waiting.length > 0) {
        const batch = waiting.splice(0, 1 + Math.floor(random() * MAX_BATCH));
        const returned = await engine.executeBatch(batch, batchOptions(batch, observer));
        waiting.unshift(...returned.map((index) => at(batch, index)));
      }
    };
    await Promise.all(Array.from({ length: IN_HAND }, giveBatches));
  };

const batchOptions = (batch: readonly Assignment[], observer: Observer): BatchOptions => ({
  signal: observer.signal,
  onMessage: (index, message) => observer.said(at(batch, index), message),
  onOutcomes: (outcomes) => {
    for (const { index, outcome } of outcomes) observer.ended(at(batch, index), outcome);
  },
});

function at<Item>(items: readonly Item[], index: number): Item {
  const item = items[index];
  if (item === undefined) throw new Error(`there is no item ${index}`);
  return item;
}

/** Executes all on a new engine. Returns by id what came of each, as far as it may not depend on the way. */
async function observe(
  base: string,
  workstreams: readonly Hostile[],
  way: Way,
): Promise<Map<string, object>> {
  const folder = mkdtempSync(join(base, 'way-'));
  mkdirSync(join(folder, 'logs'));
  const observed = new Map<string, Observed>();
  const messages = new Map<string, EngineMessage[]>();
  const { signal } = new AbortController();
  setMaxListeners(0, signal);
  const observer: Observer = {
    signal,
    said: ({ workstream: { id } }, message) => messages.set(id, [...(messages.get(id) ?? []), message]),
    ended: ({ workstream: { id } }, outcome) => {
      expect(observed.has(id), `${id} has ended twice`).toBe(false);
      observed.set(id, { outcome, messages: messages.get(id) ?? [] });
    },
  };
  const engine = new ThreadEngine({
    ...engineSettings(base),
    agents: AGENTS,
    memoryMb: MEMORY_MB,
    manyCommands: false,
  });
  try {
    const shares = Array.from({ length: AGENTS }, (_, agent) =>
      workstreams
        .filter((_each, index) => index % AGENTS === agent)
        .map(({ definition, timeoutSeconds }) =>
          assignment(folder, definition, {
            agentId: `agent-${agent + 1}`,
            logFile: join(folder, 'logs', definition.id),
            limits: { timeoutSeconds, graceSeconds: 0.2, maxOutputMb: 1 },
          }),
        ),
    );
    await Promise.all(shares.map((share) => way(engine, share, observer)));
  } finally {
    await engine.close();
  }
  const begun = countsOf(readFileSync(join(folder, 'begun'), 'utf8').split('\n'));
  return new Map(
    [...observed].map(([id, each]) => [id, { begun: begun.get(id) ?? 0, ...comparable(each, folder) }]),
  );
}

function countsOf(lines: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
  return counts;
}

const TIMES = new Set(['startedAt', 'endedAt', 'durationSeconds', 'cpuSeconds', 'cpuWaitSeconds']);

/** Without times, pids and paths, and the lines of stacks that are not of a workstream's own code. */
function comparable({ outcome, messages }: Observed, folder: string): object {
  const log = outcome.logFile === null ? null : steady(readFileSync(outcome.logFile, 'latin1'), folder);
  const text = JSON.stringify({ outcome, messages: messages.map(withoutTime) }, (key, value: unknown) => {
    if (TIMES.has(key)) return undefined;
    if (typeof value !== 'string') return value;
    return steady(key === 'stack' ? ownLines(value) : value, folder);
  });
  return { ...(JSON.parse(text) as object), log };
}

/** Node numbers rejections, and explains its first warning in a thread. */
const steady = (text: string, folder: string): string =>
  text
    .replaceAll(folder, 'FOLDER')
    .replaceAll(/\d+ \([^()]*\)/g, 'PID (COMMAND)')
    .replaceAll(/ pid: \d+| \(\d+ characters\)| \(rejection id: \d+\)|\(Use `node .*\n/g, '');

const ownLines = (stack: string): string =>
  stack
    .split('\n')
    .filter((line) => !/^\s+(at |\.\.\. \d+ lines matching)/.test(line) || line.includes('hostile.mjs'))
    .join('\n');

function withoutTime(message: EngineMessage): unknown {
  if (message.type !== 'log') return message;
  const { time: _, ...line } = JSON.parse(message.line) as Record<string, unknown>;
  return line;
}

const count = Number(process.env['HOSTILE_COUNT'] ?? 300);
const seed = Number(process.env['HOSTILE_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

/** Executes them in both ways. What differs is in the message of the error. */
async function expectTheSame(
  base: string,
  workstreams: readonly Hostile[],
  random: () => number,
): Promise<void> {
  const alone = await observe(base, workstreams, oneByOne);
  const together = await observe(base, workstreams, inBatches(random));
  expect(alone.size).toBe(workstreams.length);
  const differing = workstreams.filter(
    ({ definition: { id } }) => !isDeepStrictEqual(alone.get(id), together.get(id)),
  );
  const of = (observed: Map<string, object>) =>
    differing.map(({ does, definition: { id } }) => ({ id, does, ...observed.get(id) }));
  expect(of(together)).toEqual(of(alone));
}

function baseFolder(): string {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-hostile-')));
  onTestFinished(() => rmSync(base, { recursive: true, force: true }));
  return base;
}

test(`what a workstream does has the same outcome alone and in a batch (HOSTILE_SEED=${seed})`, async () => {
  const base = baseFolder();
  const random = seededRandom(seed);
  await expectTheSame(base, hostileWorkstreams(base, count, random), random);
}, 600_000);

test('code that closes the port of its thread loses no answer of those behind it', async () => {
  const does = ['closesPort', ...Array.from({ length: 40 }, () => 'number'), 'exits'];
  const workstreams = does.map((name, n) => hostileWorkstream(name, n));
  await expectTheSame(baseFolder(), workstreams, () => 0.99);
});
