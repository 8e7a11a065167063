/** An agent's tie to the command host. */
import { connect, type Socket } from 'node:net';
import { getSystemErrorName } from 'node:util';
import {
  type CommandRequest,
  FrameReader,
  type HostAnswer,
  readAnswer,
  requestFrame,
} from './host-protocol.ts';

/** What to start. */
export interface Launch extends Omit<CommandRequest, 'id'> {
  /** What `variables` are added to. It is sent once, as long as it is the same object. */
  inherited: Readonly<NodeJS.ProcessEnv>;
}

/** How that went on. */
export type LaunchEnd =
  | Extract<HostAnswer, { type: 'ended' }>
  /** Nothing was started. `code` is the system's error where that lies with the program, or null. */
  | { type: 'not-started'; code: string | null }
  /** The host has died, and it is not known what became of the command. */
  | { type: 'lost'; error: Error };

interface Waiting {
  onStarted: (pid: number) => void;
  settle: (end: LaunchEnd) => void;
}

const LOST = 'the process that starts commands has ended';

export class Launcher {
  readonly #path: string;
  /** Null when there is none, and none on its way. */
  #socket: Socket | null = null;
  #isTied = false;
  #tied = Promise.resolve(false);
  readonly #waiting = new Map<number, Waiting>();
  #requests = 0;
  /** What the host was last told that commands inherit. */
  #inherited: Readonly<NodeJS.ProcessEnv> | null = null;

  /** @param path of the socket at which the host listens, or soon will. */
  constructor(path: string) {
    this.#path = path;
    this.#connect();
  }

  /** Whether the host can be asked. One that could not be reached is tried again each time this is asked. */
  get isTied(): boolean {
    if (this.#socket === null) this.#connect();
    return this.#isTied;
  }

  /** Resolves with whether the host can be asked, as soon as that is known. */
  tied(): Promise<boolean> {
    return this.#tied;
  }

  #connect(): void {
    const socket = connect(this.#path);
    this.#socket = socket;
    // It does not keep the thread alive: what waits for a command does.
    socket.unref();
    const frames = new FrameReader((fields) => this.#take(readAnswer(fields)));
    socket.on('data', (chunk) => {
      try {
        frames.take(chunk);
      } catch {
        // What can't be understood is no answer: `close` follows, and nothing of it is taken for one.
        socket.destroy();
      }
    });
    this.#tied = new Promise((resolve) => {
      socket.on('connect', () => {
        this.#isTied = true;
        resolve(true);
      });
      // `close` follows.
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#lost();
        resolve(false);
      });
    });
  }

  /** @param onStarted called with the process where it runs for longer than a moment. */
  launch({ inherited, ...request }: Launch, onStarted: (pid: number) => void): Promise<LaunchEnd> {
    const socket = this.#socket;
    if (socket === null || !this.#isTied || !canBeSent(request)) return Promise.resolve(NOT_STARTED);
    if (this.#inherited !== inherited) {
      socket.write(requestFrame({ type: 'env', variables: pairs(inherited) }));
      this.#inherited = inherited;
    }
    this.#requests += 1;
    const id = this.#requests;
    const frame = requestFrame({ type: 'run', id, ...request });
    return new Promise((settle) => {
      this.#waiting.set(id, { onStarted, settle });
      socket.write(frame);
    });
  }

  #take(answer: HostAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    if (waiting === undefined) return;
    if (answer.type === 'started') return waiting.onStarted(answer.pid);
    this.#waiting.delete(answer.id);
    if (answer.type === 'ended') return waiting.settle(answer);
    const code = answer.where === 'program' ? getSystemErrorName(-answer.errno) : null;
    return waiting.settle({ type: 'not-started', code });
  }

  #lost(): void {
    this.#socket = null;
    this.#isTied = false;
    this.#inherited = null;
    const error = new Error(LOST);
    for (const { settle } of this.#waiting.values()) settle({ type: 'lost', error });
    this.#waiting.clear();
  }
}

const NOT_STARTED: LaunchEnd = { type: 'not-started', code: null };

/** A field ends at its first NUL: Node says what is wrong with a command that has one. */
const canBeSent = ({ argv, variables, folder }: Omit<CommandRequest, 'id'>): boolean =>
  ![folder, ...argv, ...variables].some((text) => text.includes('\0'));

function pairs(variables: Readonly<NodeJS.ProcessEnv>): string[] {
  return Object.entries(variables).map(([name, value]) => `${name}=${value}`);
}
