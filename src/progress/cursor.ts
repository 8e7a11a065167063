const HIDE = '\u001B[?25l';
const SHOW = '\u001B[?25h';
const DEADLY: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];

/** The cursor of a terminal: hidden while something is drawn, and shown again however the process ends. */
export class Cursor {
  readonly #terminal: NodeJS.WriteStream;
  readonly #onContinue: () => void;
  #hidden = false;

  /** @param onContinue called when the process goes on after it was suspended: the shell has written meanwhile. */
  constructor(terminal: NodeJS.WriteStream, onContinue: () => void) {
    this.#terminal = terminal;
    this.#onContinue = onContinue;
  }

  hide(): void {
    if (this.#hidden) return;
    this.#hidden = true;
    this.#terminal.write(HIDE);
    process.on('exit', this.#restore);
    // Before all other listeners, so that one that listens once is still counted.
    for (const signal of DEADLY) process.prependListener(signal, this.#die);
    if (process.platform !== 'win32') process.on('SIGTSTP', this.#suspend);
  }

  show(): void {
    if (!this.#hidden) return;
    this.#hidden = false;
    process.off('exit', this.#restore);
    for (const signal of DEADLY) process.off(signal, this.#die);
    process.off('SIGTSTP', this.#suspend);
    this.#terminal.write(SHOW);
  }

  readonly #restore = (): void => this.show();

  /** A signal that nobody else listens to ends the process as it would have without us. */
  readonly #die = (signal: NodeJS.Signals): void => {
    if (process.listenerCount(signal) > 1) return;
    this.show();
    process.kill(process.pid, signal);
  };

  /** Ctrl-Z: without a listener the signal stops the process right there, and `kill` returns when it goes on. */
  readonly #suspend = (): void => {
    this.show();
    process.kill(process.pid, 'SIGTSTP');
    this.hide();
    this.#onContinue();
  };
}
