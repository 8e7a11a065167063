/** An agent's tie to the fork server. */
import { connect, type Socket } from 'node:net';
import type { ChildEnd } from './command.ts';
import type { LaunchReply, LaunchRequest } from './launches.ts';
import { LineSplitter } from './line-splitter.ts';

/** A process that was started for this thread. */
export interface Launched {
  pid: number;
  end: Promise<ChildEnd>;
}

interface Waiting {
  /** Null: nothing was started. An error: it is not known. */
  started: (launched: Launched | Error | null) => void;
  ended: (end: ChildEnd) => void;
}

const LOST = 'the process that starts commands has ended';

export class Launcher {
  readonly #path: string;
  /** Null when there is none, and none on its way. */
  #socket: Socket | null = null;
  #isTied = false;
  readonly #waiting = new Map<number, Waiting>();
  #requests = 0;

  /** @param path of the socket at which the server listens, or soon will. */
  constructor(path: string) {
    this.#path = path;
    this.#connect();
  }

  /** Whether the server can be asked. One that could not be reached is tried again each time this is asked. */
  get isTied(): boolean {
    if (this.#socket === null) this.#connect();
    return this.#isTied;
  }

  #connect(): void {
    const socket = connect(this.#path);
    this.#socket = socket;
    // It does not keep the thread alive: what waits for a command does.
    socket.unref();
    const lines = new LineSplitter((line) => this.#take(JSON.parse(line)));
    socket.on('data', (chunk) => lines.take(chunk));
    socket.on('connect', () => {
      this.#isTied = true;
    });
    // `close` follows.
    socket.on('error', () => undefined);
    socket.on('close', () => this.#lost());
  }

  /** Null when nothing was started; an error when the tie broke and something may have been. */
  launch(request: Omit<LaunchRequest, 'id'>): Promise<Launched | Error | null> {
    const socket = this.#socket;
    if (socket === null || !this.#isTied) return Promise.resolve(null);
    this.#requests += 1;
    const id = this.#requests;
    return new Promise((started) => {
      this.#waiting.set(id, { started, ended: () => undefined });
      const whole: LaunchRequest = { id, ...request };
      socket.write(`${JSON.stringify(whole)}\n`);
    });
  }

  #take(reply: LaunchReply): void {
    const waiting = this.#waiting.get(reply.id);
    if (waiting === undefined) return;
    if (reply.type === 'started') {
      const end = new Promise<ChildEnd>((ended) => {
        waiting.ended = ended;
      });
      waiting.started({ pid: reply.pid, end });
      return;
    }
    this.#waiting.delete(reply.id);
    if (reply.type === 'refused') waiting.started(null);
    else waiting.ended({ code: reply.code, signal: reply.signal });
  }

  #lost(): void {
    this.#socket = null;
    this.#isTied = false;
    const error = new Error(LOST);
    for (const { started, ended } of this.#waiting.values()) {
      started(error);
      ended({ error });
    }
    this.#waiting.clear();
  }
}
