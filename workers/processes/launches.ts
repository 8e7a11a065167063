/** The commands that the fork server has started for one agent. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants, fstatSync } from 'node:fs';
import type { Socket } from 'node:net';
import { signalGroup } from '../../src/os/process-group.ts';
import { openRegular } from '../../src/os/regular-file.ts';
import { LineSplitter } from './line-splitter.ts';

/** Beyond the grace: the run ends what an agent that is gone has left, and this is for what it could not find. */
const ORPHAN_SECONDS = 10;

export class Launches {
  readonly #socket: Socket;
  /** Those that run, and the grace of each in seconds. */
  readonly #running = new Map<number, number>();

  constructor(socket: Socket) {
    this.#socket = socket;
    const lines = new LineSplitter((line) => this.#launch(JSON.parse(line)));
    socket.on('data', (chunk) => lines.take(chunk));
    // `close` follows.
    socket.on('error', () => undefined);
    socket.on('close', () => this.#abandoned());
  }

  #launch(request: LaunchRequest): void {
    const { id } = request;
    const child = start(request);
    if (child?.pid === undefined) return this.#reply({ type: 'refused', id });
    const { pid } = child;
    this.#running.set(pid, request.graceSeconds);
    this.#reply({ type: 'started', id, pid });
    child.once('exit', (code, signal) => {
      this.#running.delete(pid);
      this.#reply({ type: 'ended', id, code, signal });
    });
  }

  #reply(reply: LaunchReply): void {
    if (this.#socket.writable) this.#socket.write(`${JSON.stringify(reply)}\n`);
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

/** Undefined, or without a pid, when it can't be started: the agent finds out why by trying itself. */
function start({
  file,
  args,
  shell,
  cwd,
  variables,
  output,
  inode,
}: LaunchRequest): ChildProcess | undefined {
  let descriptor: number | undefined;
  try {
    // The agent has made it; where it is gone or another one, the agent's own descriptor still leads somewhere.
    descriptor = openRegular(output, { flags: constants.O_WRONLY | constants.O_APPEND, refuseLinks: true });
    if (fstatSync(descriptor).ino !== inode) return undefined;
    const stdio = ['ignore' as const, descriptor, descriptor];
    const child = spawn(file, args, { cwd, env: variables, shell, detached: true, stdio });
    child.on('error', () => undefined);
    return child;
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

// The messages between agents and the fork server: one JSON object a line.

/** From an agent: starts a command as the leader of a process group of its own, without input. */
export interface LaunchRequest {
  /** Unique on its connection. */
  id: number;
  /** A program, or a line for the shell. */
  file: string;
  args: string[];
  shell: boolean;
  /** Absolute path of the folder that it runs in. */
  cwd: string;
  /** All its variables. */
  variables: Readonly<Record<string, string | undefined>>;
  /** Absolute path of the file that its output is added to. */
  output: string;
  /** By which it is known that this is the file that the agent has open. */
  inode: number;
  /** How long it is given to end, should its agent be gone. */
  graceSeconds: number;
}

/** To the agent. `refused` means that nothing was started. */
export type LaunchReply =
  | { type: 'started'; id: number; pid: number }
  | { type: 'refused'; id: number }
  | { type: 'ended'; id: number; code: number | null; signal: NodeJS.Signals | null };
