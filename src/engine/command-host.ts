/** The process that starts commands for the threads, as the main thread sees it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeTemporaryFolder } from '../os/temporary-folders.ts';
import { entryFile } from './entry-file.ts';
import { type Compilation, compileForLaterRuns, findNativeHost } from './native-host.ts';

/** How long it may take to end before it is made to. */
const END_MS = 1_000;

/**
 * Small, without threads of its own: the less memory it has written to, the less is copied for each command. Its few
 * lines of code do not run often enough to be worth optimising.
 */
const SMALL = ['--max-semi-space-size=1', '--single-threaded', '--no-opt'];

/**
 * The native host (workers/native/command-host.c) where there is one: it listens after a few milliseconds and takes
 * 2 MB. Otherwise, or in its place should it die, that of Node (workers/command-host.ts): after some 50 ms, and 45 MB.
 * Until a host listens, and where none can be started, threads start their commands themselves.
 */
export class CommandHost {
  /** Of the socket at which it listens. The folder is for this user only. */
  readonly path: string;
  readonly #folder: string;
  readonly #compilation: Compilation | null;
  #child: ChildProcess;
  #ended: Promise<void>;
  #isClosing = false;

  /** Null where there is no folder for its socket. */
  static start(): CommandHost | null {
    let folder: string;
    try {
      folder = makeTemporaryFolder('fork');
    } catch {
      // A read-only or full disk: nothing but speed is lost.
      return null;
    }
    return new CommandHost(folder);
  }

  private constructor(folder: string) {
    this.#folder = folder;
    this.path = join(folder, 'command-host');
    const { file } = findNativeHost();
    [this.#child, this.#ended] = file === null ? this.#startNode() : this.#startNative(file);
    this.#compilation = file === null ? compileForLaterRuns() : null;
  }

  /** Idempotent. Called when no command is running any more. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#compilation?.stop();
    const child = this.#child;
    child.ref();
    child.stdin?.end();
    const timer = setTimeout(() => child.kill('SIGKILL'), END_MS);
    await this.#ended;
    clearTimeout(timer);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #startNative(file: string): [ChildProcess, Promise<void>] {
    return this.#start(file, [this.path], () => {
      if (this.#isClosing) return;
      // It can't run here, or something has ended it.
      rmSync(this.path, { force: true });
      [this.#child, this.#ended] = this.#startNode();
    });
  }

  #startNode(): [ChildProcess, Promise<void>] {
    return this.#start(process.execPath, [...SMALL, entryFile('command-host'), this.path], () => undefined);
  }

  /** A group of its own: a Ctrl-C in the terminal is for the run. */
  #start(file: string, args: string[], onEnd: () => void): [ChildProcess, Promise<void>] {
    const child = spawn(file, args, { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
    child.stdin?.on('error', () => undefined);
    child.unref();
    const ended = new Promise<void>((resolve) => {
      child.once('exit', () => resolve());
      // It could not be started.
      child.once('error', () => resolve());
    });
    return [child, ended.then(onEnd)];
  }
}
