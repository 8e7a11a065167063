/** The commands that a command host of Node has started for one agent. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants, fstatSync, statSync } from 'node:fs';
import type { Socket } from 'node:net';
import { constants as system } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { groupIsAlive, signalGroup } from '../../src/os/process-group.ts';
import { openRegular } from '../../src/os/regular-file.ts';
import {
  answerFrame,
  type CommandRequest,
  FrameReader,
  type HostAnswer,
  readRequest,
} from './host-protocol.ts';

/** Beyond the grace: the run ends what an agent that is gone has left, and this is for what it could not find. */
const ORPHAN_SECONDS = 10;
/** How often it is looked whether the groups are gone that are being ended. */
const LOOK_MS = 50;

type Refused = Extract<HostAnswer, { type: 'refused' }>;

export class Launches {
  readonly #socket: Socket;
  /** Those that run, and the grace of each in seconds. */
  readonly #running = new Map<number, number>();
  #inherited: readonly string[] = [];

  /** @param onMalformed called when something sends what is no request. */
  constructor(socket: Socket, onMalformed: () => void) {
    this.#socket = socket;
    const frames = new FrameReader((fields) => this.#take(fields));
    socket.on('data', (chunk) => {
      try {
        frames.take(chunk);
      } catch {
        onMalformed();
      }
    });
    // `close` follows.
    socket.on('error', () => undefined);
    socket.on('close', () => this.#abandoned());
  }

  /** Ends all that run: SIGTERM, and SIGKILL after the grace. */
  async end(): Promise<void> {
    const start = performance.now();
    const groups = [...this.#running];
    for (const [pid] of groups) signalGroup(pid, 'SIGTERM');
    const isToWait = ([pid, graceSeconds]: [number, number]): boolean =>
      performance.now() - start < graceSeconds * 1000 && groupIsAlive(pid);
    while (groups.some(isToWait)) await pause(LOOK_MS);
    for (const [pid] of groups) if (groupIsAlive(pid)) signalGroup(pid, 'SIGKILL');
  }

  #take(fields: string[]): void {
    const request = readRequest(fields);
    if (request.type === 'env') this.#inherited = request.variables;
    else this.#run(request);
  }

  #run(request: CommandRequest): void {
    const { id, graceSeconds } = request;
    const log = openLog(request);
    if (typeof log !== 'number') return this.#answer(log);
    const child = start(request, this.#inherited, log);
    if ('type' in child || child.pid === undefined) {
      closeSync(log);
      if ('type' in child) this.#answer(child);
      else child.once('error', (error) => this.#answer(refusal(request, error)));
      return;
    }
    const { pid } = child;
    this.#running.set(pid, graceSeconds);
    this.#answer({ type: 'started', id, pid });
    child.once('exit', (code, signal) => {
      this.#running.delete(pid);
      const logSize = fstatSync(log).size;
      closeSync(log);
      this.#answer({
        type: 'ended',
        id,
        pid,
        code,
        signal,
        left: groupExists(pid) ? 'group' : 'elsewhere',
        logSize,
        usage: null,
      });
    });
  }

  #answer(answer: HostAnswer): void {
    if (this.#socket.writable) this.#socket.write(answerFrame(answer));
  }

  #abandoned(): void {
    for (const [pid, graceSeconds] of this.#running) {
      const end = (): void => {
        if (this.#running.has(pid)) signalGroup(pid, 'SIGKILL');
      };
      setTimeout(end, (graceSeconds + ORPHAN_SECONDS) * 1000).unref();
    }
  }
}

/** The agent has made it; where it is gone or another one, the agent's own descriptor still leads somewhere. */
function openLog({ id, log, inode }: CommandRequest): number | Refused {
  const other: Refused = { type: 'refused', id, where: 'log', errno: system.errno.ENOENT };
  let descriptor: number | null = null;
  try {
    descriptor = openRegular(log, { flags: constants.O_WRONLY | constants.O_APPEND, refuseLinks: true });
    if (fstatSync(descriptor).ino === inode) return descriptor;
  } catch (error) {
    return { ...other, errno: errnoOf(error) };
  }
  closeSync(descriptor);
  return other;
}

function start(request: CommandRequest, inherited: readonly string[], log: number): ChildProcess | Refused {
  const { argv, folder, variables } = request;
  const [file = '', ...args] = argv;
  try {
    return spawn(file, args, {
      cwd: folder,
      env: variablesOf(inherited, variables),
      detached: true,
      stdio: ['ignore', log, log],
    });
  } catch (error) {
    // Too many arguments, or no memory.
    return refusal(request, error);
  }
}

function variablesOf(inherited: readonly string[], variables: readonly string[]): Record<string, string> {
  // Without a prototype, so that a variable of any name is one.
  const all: Record<string, string> = Object.create(null);
  for (const variable of [...inherited, ...variables]) {
    const at = variable.indexOf('=');
    if (at === -1) delete all[variable];
    else all[variable.slice(0, at)] = variable.slice(at + 1);
  }
  return all;
}

/** Node reports a folder that is not there as a program that is not. */
function refusal({ id, folder }: CommandRequest, error: unknown): Refused {
  const isFolder = statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
  return { type: 'refused', id, where: isFolder ? 'program' : 'folder', errno: errnoOf(error) };
}

const errnoOf = (error: unknown): number =>
  error instanceof Error && 'errno' in error ? Math.abs(Number(error.errno)) : system.errno.ENOENT;

/** Whether a group has any process, also one that has ended and was not reaped. */
function groupExists(leader: number): boolean {
  try {
    return process.kill(-leader, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
