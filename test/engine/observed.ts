/** Executes workstreams on the engine of threads, and keeps what came of each. */
import { setMaxListeners } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { expect, onTestFinished } from 'vitest';
import type { Assignment } from '../../src/domain/assignment.ts';
import type { EngineMessage } from '../../src/domain/engine.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import type { Workstream } from '../../src/domain/workstream.ts';
import { ThreadEngine } from '../../src/engine/threads.ts';
import { assignment } from '../kit/definitions.ts';
import { engineSettings } from '../kit/engine-settings.ts';
import { answers, type Hostile } from './hostile.ts';

const AGENTS = 2;
const MEMORY_MB = 96;

/** What is known of a workstream that was executed. */
interface Observed {
  outcome: Outcome;
  messages: EngineMessage[];
}

/** The same as far as it may not depend on the way, how often it has begun, and what its log holds. */
export interface Seen {
  begun: number;
  outcome: Outcome;
  messages: unknown[];
  log: string | null;
}

/** Executes all of an agent's assignments. */
export type Way = (engine: ThreadEngine, assignments: Assignment[], observe: Observer) => Promise<void>;

export interface Observer {
  signal: AbortSignal;
  said(assignment: Assignment, message: EngineMessage): void;
  ended(assignment: Assignment, outcome: Outcome): void;
}

export const oneByOne: Way = async (engine, assignments, observer) => {
  for (const next of assignments) {
    const onMessage = (message: EngineMessage): void => observer.said(next, message);
    observer.ended(next, await engine.execute(next, { signal: observer.signal, onMessage }));
  }
};

/** Removed when the test ends. */
export function baseFolder(): string {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-hostile-')));
  onTestFinished(() => rmSync(base, { recursive: true, force: true }));
  return base;
}

/**
 * Executes all on a new engine. Returns by id what came of each, as far as it may not depend on the way. What says nothing
 * of what they do is not taken, and they are executed again: a limit that passed before their code was loaded, which is
 * twice as long then, and the end of a thread that answers, but did not in time.
 */
export async function observe(
  base: string,
  workstreams: readonly Hostile[],
  way: Way,
): Promise<Map<string, Seen>> {
  const all = new Map<string, Seen>();
  let left = workstreams;
  for (let times = 1; left.length > 0; times *= 2) {
    const { seen, loaded } = await observeOnce(base, left, way, times);
    for (const [id, each] of seen) all.set(id, each);
    left = left.filter((each) => {
      const { outcome, messages } = all.get(each.definition.id) ?? {};
      if (outcome?.failure?.reason !== 'timed-out') return false;
      const isEnded = isDeepStrictEqual(messages?.at(-1), { type: 'replaced', why: 'its code did not stop' });
      return !loaded.has(each.definition.id) || (isEnded && answers(each));
    });
  }
  return all;
}

/** @param times how much longer each limit is. */
async function observeOnce(
  base: string,
  workstreams: readonly Hostile[],
  way: Way,
  times: number,
): Promise<{ seen: Map<string, Seen>; loaded: Set<string> }> {
  const folder = mkdtempSync(join(base, 'way-'));
  mkdirSync(join(folder, 'logs'));
  rmSync(join(base, 'begun'), { force: true });
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
          assignment(folder, withLimits(definition, times), {
            agentId: `agent-${agent + 1}`,
            logFile: join(folder, 'logs', definition.id),
            limits: { timeoutSeconds: timeoutSeconds * times, graceSeconds: 0.2, maxOutputMb: 1 },
          }),
        ),
    );
    await Promise.all(shares.map((share) => way(engine, share, observer)));
  } finally {
    await engine.close();
  }
  const lines = linesOf(join(folder, 'begun'));
  const begun = countsOf(lines);
  const seen = new Map(
    [...observed].map(([id, each]) => [
      id,
      { begun: begun.get(id) ?? 0, ...comparable(each, folder, times) },
    ]),
  );
  return { seen, loaded: new Set([...lines, ...linesOf(join(base, 'begun'))]) };
}

const linesOf = (file: string): string[] => (existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []);

const withLimits = (definition: Workstream, times: number): Workstream => ({
  ...definition,
  steps: definition.steps.map((step) => ({
    ...step,
    timeoutSeconds: step.timeoutSeconds === null ? null : step.timeoutSeconds * times,
  })),
});

export function countsOf(lines: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
  return counts;
}

const TIMES = new Set(['startedAt', 'endedAt', 'durationSeconds', 'cpuSeconds', 'cpuWaitSeconds']);

/**
 * Without times, pids and paths, and the lines of stacks that are not of a workstream's own code; limits as they were to
 * be.
 */
function comparable({ outcome, messages }: Observed, folder: string, times: number): Omit<Seen, 'begun'> {
  const log = outcome.logFile === null ? null : steady(readFileSync(outcome.logFile, 'latin1'), folder);
  const text = JSON.stringify({ outcome, messages: messages.map(withoutTime) }, (key, value: unknown) => {
    if (TIMES.has(key)) return undefined;
    if (key === 'seconds' && typeof value === 'number') return value / times;
    if (typeof value !== 'string') return value;
    return steady(key === 'stack' ? ownLines(value) : value, folder);
  });
  return { ...(JSON.parse(text) as Pick<Seen, 'outcome' | 'messages'>), log };
}

/** Without what differs from one process, or one thread, to the other: Node explains its first warning in a thread. */
export const steady = (text: string, folder: string): string =>
  text
    .replaceAll(folder, 'FOLDER')
    .replaceAll(/\d+ \([^()]*\)/g, 'PID (COMMAND)')
    .replaceAll(/(?<=\(node:|process\.kill\()\d+/g, 'PID')
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
