/** The process of one agent, as the run's process sees it: what it says, what it holds, and how it ends. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Death } from '../domain/death.ts';
import { type FromAgent, fromAgentSchema, opened, type ToProcess } from '../domain/agent-message.ts';
import { MARK_VARIABLE, markValue } from '../support/owned-processes.ts';
import { signalGroup } from '../support/process-group.ts';
import { hasProcessTable } from '../support/process-table.ts';
import { entryFile } from './entry-file.ts';
import { firstOf } from '../support/cut-text.ts';

/**
 * What a process may hold beyond its limit, in MB: Node itself, its code and the youngest part of its heap. With its
 * heap used up an agent holds some 80 MB more than the limit on Node 20, and 110 MB on Node 24 and 26.
 */
const NODE_MB = 150;

const LOOK_MS = 100;
const MAX_STRAY = 64 * 1024;

export interface AgentProcessOptions {
  /** By which it is found when this process has died. */
  mark: string;
  /** Memory that it may use in MB; null for no limit. */
  memoryMb: number | null;
  /** Called with what it says. What can't be read is given as null. */
  onMessage: (message: FromAgent | null, raw: unknown) => void;
  /** Called once, when it holds more than it may. It is not ended by that. */
  onOverLimit: () => void;
}

export class AgentProcess {
  /** What it says counts only with this. */
  readonly key = randomUUID();
  readonly #child: ChildProcess;
  readonly #watch: NodeJS.Timeout | undefined;
  /** Resolves when it has ended and everything that it said has been told. Rejects when it can't be started. */
  readonly ended: Promise<Death>;
  #stray = '';

  /** It leads a process group of its own, so that a Ctrl-C in the terminal reaches only Millrace. */
  constructor(options: AgentProcessOptions) {
    const { mark, memoryMb } = options;
    const heap = memoryMb === null ? [] : [`--max-old-space-size=${Math.ceil(memoryMb)}`];
    this.#child = spawn(process.execPath, [...process.execArgv, ...heap, entryFile('process-agent')], {
      detached: true,
      env: { ...process.env, [MARK_VARIABLE]: markValue(mark) },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      serialization: 'advanced',
    });
    this.#child.on('message', (signed: unknown) => {
      const raw = opened(signed, this.key);
      if (raw === undefined) return;
      const parsed = fromAgentSchema.safeParse(raw);
      options.onMessage(parsed.success ? parsed.data : null, raw);
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#stray = firstOf(this.#stray + text, MAX_STRAY);
      });
    }
    this.#watch = memoryMb === null ? undefined : this.#watchMemory(memoryMb + NODE_MB, options.onOverLimit);
    this.ended = new Promise((resolve, reject) => {
      this.#child.on('error', reject);
      // The pipes may be held open by what it started and left: they are not waited for.
      this.#child.once('exit', (exitCode, signal) => {
        clearInterval(this.#watch);
        const end = (): void => resolve({ exitCode, signal });
        // What it said before is read until the channel is closed.
        if (this.#child.connected) this.#child.once('disconnect', end);
        else setImmediate(end);
      });
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** What it printed past the agent's own log, such as the last words of Node: the first 64 KiB. */
  get stray(): string {
    return this.#stray;
  }

  /** What is sent to one that has ended is lost. */
  send(message: ToProcess): void {
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  /** Ends it now. */
  kill(): void {
    if (this.pid !== undefined) signalGroup(this.pid, 'SIGKILL');
  }

  #watchMemory(limitMb: number, onOverLimit: () => void): NodeJS.Timeout | undefined {
    if (!hasProcessTable) return undefined;
    const watch = setInterval(() => {
      if (this.pid === undefined || residentMb(this.pid) <= limitMb) return;
      clearInterval(watch);
      onOverLimit();
    }, LOOK_MS);
    return watch;
  }
}

/** What a process holds in memory in MB; 0 when it has ended. */
function residentMb(pid: number): number {
  try {
    const [, kilobytes] = /^VmRSS:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kilobytes ?? 0) / 1024;
  } catch {
    // It has just ended.
    return 0;
  }
}
