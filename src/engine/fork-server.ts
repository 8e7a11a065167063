/** The process that starts commands for the threads, as the main thread sees it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeTemporaryFolder } from '../os/temporary-folders.ts';
import { entryFile } from './entry-file.ts';

/** How long it may take to end before it is made to. */
const END_MS = 1_000;

/**
 * Small, without threads of its own: the less memory it has written to, the less is copied for each command. Its few
 * lines of code do not run often enough to be worth optimising.
 */
const SMALL = ['--max-semi-space-size=1', '--single-threaded', '--no-opt'];

/**
 * Listens some 50 ms after it was made, and takes about 45 MB. Until then, and where it can't be started, threads start
 * their commands themselves.
 */
export class ForkServer {
  /** Of the socket at which it listens. The folder is for this user only. */
  readonly path: string;
  readonly #folder: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;

  /** Null where there is no folder for its socket. */
  static start(): ForkServer | null {
    let folder: string;
    try {
      folder = makeTemporaryFolder('fork');
    } catch {
      // A read-only or full disk: nothing but speed is lost.
      return null;
    }
    return new ForkServer(folder);
  }

  private constructor(folder: string) {
    this.#folder = folder;
    this.path = join(folder, 'fork-server');
    // A group of its own: a Ctrl-C in the terminal is for the run.
    this.#child = spawn(process.execPath, [...SMALL, entryFile('fork-server'), this.path], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.#child.stdin?.on('error', () => undefined);
    this.#child.unref();
    this.#ended = new Promise((resolve) => {
      this.#child.once('exit', () => resolve());
      // It could not be started.
      this.#child.once('error', () => resolve());
    });
  }

  /** Idempotent. Called when no command is running any more. */
  async close(): Promise<void> {
    this.#child.ref();
    this.#child.stdin?.end();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), END_MS);
    await this.#ended;
    clearTimeout(timer);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
