/** A real pseudo-terminal with a screen that a test can read. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import headless from '@xterm/headless';
import { onTestFinished } from 'vitest';

const SCRIPT = fileURLToPath(new URL('terminal.py', import.meta.url));

/** The private mode by which a command says that what it writes is to be shown at once. */
const SYNCHRONIZED_OUTPUT = 2026;

export interface TerminalOptions {
  columns?: number;
  rows?: number;
  /** Added to a small environment: PATH, HOME, TMPDIR, TERM=xterm-256color and a UTF-8 locale. */
  env?: Record<string, string>;
  cwd?: string;
}

/** Starts a command in a terminal of its own. It is hung up when the test ends, if it still runs. */
export async function openTerminal(
  command: string,
  args: readonly string[],
  options: TerminalOptions = {},
): Promise<Terminal> {
  const { columns = 80, rows = 24, cwd } = options;
  const child = spawn('python3', [SCRIPT, String(columns), String(rows), command, ...args], {
    stdio: ['pipe', 'pipe', 'inherit', 'pipe'],
    env: {
      ...inherited(),
      TERM: 'xterm-256color',
      LANG: 'C.UTF-8',
      PYTHONCOERCECLOCALE: '0',
      ...options.env,
    },
    ...(cwd === undefined ? {} : { cwd }),
  });
  await once(child, 'spawn');
  const terminal = new Terminal(child, columns, rows);
  onTestFinished(() => terminal.close());
  return terminal;
}

function inherited(): Record<string, string> {
  const names = ['PATH', 'HOME', 'TMPDIR', 'NODE_V8_COVERAGE'];
  return Object.fromEntries(
    names.flatMap((name) => (name in process.env ? [[name, process.env[name] ?? '']] : [])),
  );
}

export class Terminal {
  /** Resolves when the command has ended and its last output is on the screen; 128 + n for signal n. */
  readonly exit: Promise<number>;
  readonly #child: ChildProcess;
  readonly #screen: headless.Terminal;
  readonly #chunks: Buffer[] = [];
  readonly #watchers = new Set<() => void>();
  #code: number | null = null;
  /** Whether a frame has begun whose end has not arrived. */
  #isDrawing = false;

  constructor(child: ChildProcess, columns: number, rows: number) {
    this.#child = child;
    this.#screen = new headless.Terminal({ cols: columns, rows, allowProposedApi: true, scrollback: 10_000 });
    // A terminal answers questions, such as where its cursor is.
    this.#screen.onData((answer) => this.type(answer));
    for (const [final, isBegin] of [
      ['h', true],
      ['l', false],
    ] as const)
      this.#screen.parser.registerCsiHandler({ prefix: '?', final }, (parameters) => {
        if (parameters[0] === SYNCHRONIZED_OUTPUT) this.#isDrawing = isBegin;
        return false;
      });
    child.stdout?.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#screen.write(chunk, () => this.#tell());
    });
    // Typing at a command that has just ended is no error of the test.
    child.stdin?.on('error', () => this.#tell());
    this.exit = this.#ended();
  }

  /** The lines of the window, without spaces at their ends. */
  screen(): string[] {
    const { viewportY } = this.#screen.buffer.active;
    return this.#lines(viewportY, viewportY + this.#screen.rows);
  }

  /** All lines, those that have left the window at its top included. */
  history(): string[] {
    return this.#lines(0, this.#screen.buffer.active.length);
  }

  /** Every byte that the command wrote so far. */
  get raw(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  get cursor(): { column: number; row: number; visible: boolean } {
    const { cursorX, cursorY } = this.#screen.buffer.active;
    const raw = this.raw.toString('latin1');
    return {
      column: cursorX,
      row: cursorY,
      visible: raw.lastIndexOf('\u001B[?25l') <= raw.lastIndexOf('\u001B[?25h'),
    };
  }

  /**
   * Resolves as soon as the screen is as expected, with what belongs together whole. Rejects when the command ends before
   * it is.
   */
  async waitFor(expected: (screen: string[]) => boolean): Promise<string[]> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (this.#isDrawing && this.#code === null) return;
        const screen = this.screen();
        const met = expected(screen);
        if (!met && this.#code === null) return;
        this.#watchers.delete(look);
        if (met) resolve(screen);
        else reject(new Error(`The command ended with ${this.#code} and this screen:\n${screen.join('\n')}`));
      };
      this.#watchers.add(look);
      look();
    });
  }

  /** Types keys: `\r` is Enter, `\u0003` Ctrl-C, `\u001A` Ctrl-Z. */
  type(keys: string): void {
    this.#child.stdin?.write(keys);
  }

  /** Changes the size of the window; the command gets SIGWINCH. */
  resize(columns: number, rows: number): void {
    this.#screen.resize(columns, rows);
    const control = this.#child.stdio[3];
    if (control !== null && control !== undefined && 'write' in control)
      control.write(`${columns} ${rows}\n`);
  }

  /** Hangs up and waits for the end. */
  async close(): Promise<void> {
    this.#child.stdin?.end();
    await this.exit;
    this.#screen.dispose();
  }

  async #ended(): Promise<number> {
    await once(this.#child, 'close');
    await new Promise<void>((resolve) => this.#screen.write('', resolve));
    this.#code = this.#child.exitCode ?? -1;
    this.#tell();
    return this.#code;
  }

  #lines(from: number, to: number): string[] {
    const { active } = this.#screen.buffer;
    return Array.from(
      { length: to - from },
      (_, index) =>
        active
          .getLine(from + index)
          ?.translateToString()
          .trimEnd() ?? '',
    );
  }

  #tell(): void {
    for (const watcher of this.#watchers) watcher();
  }
}
