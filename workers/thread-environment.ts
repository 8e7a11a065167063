/** `process.env` of a thread, which all workstreams in it share. */

const { keys } = Object;

let installed: ThreadEnvironment | null = null;

/** The variables as they are now. To be read from here: to list a view takes longer. */
export const variables = (): Readonly<NodeJS.ProcessEnv> => installed?.variables ?? process.env;

/**
 * Knows whether code changed the environment. To compare every variable after each execution would take longer than a
 * small one runs, so that `process.env` becomes a view on Node's own object that notes writes; it converts values to
 * strings, is listed and inherited by child processes as before.
 */
export class ThreadEnvironment {
  readonly #initial: NodeJS.ProcessEnv = { ...process.env };
  readonly #view: NodeJS.ProcessEnv;
  #isWritten = false;

  /** `process.env` of this thread becomes the view. */
  private constructor() {
    const noting =
      <A extends unknown[]>(write: (...args: A) => boolean) =>
      (...args: A): boolean => {
        this.#isWritten = true;
        return write(...args);
      };
    const { set, deleteProperty, defineProperty } = Reflect;
    this.#view = new Proxy<NodeJS.ProcessEnv>(process.env, {
      set: noting((target: NodeJS.ProcessEnv, key: string | symbol, value: unknown) =>
        set(target, key, value),
      ),
      deleteProperty: noting(deleteProperty),
      defineProperty: noting(defineProperty),
    });
    process.env = this.#view;
  }

  /** To be called once, when the thread starts. */
  static install(): ThreadEnvironment {
    installed = new ThreadEnvironment();
    return installed;
  }

  /** What differs from how the thread began, such as "process.env (NODE_ENV, PATH)"; null for nothing. */
  changed(): string | null {
    const isReplaced = process.env !== this.#view;
    if (!isReplaced && !this.#isWritten) return null;
    const names = this.#differences();
    this.#isWritten = names.length > 0;
    if (names.length > 0) return `process.env (${names.join(', ')})`;
    return isReplaced ? 'process.env' : null;
  }

  #differences(): string[] {
    const now = { ...process.env };
    const names = keys({ ...this.#initial, ...now });
    return names.filter((name) => now[name] !== this.#initial[name]);
  }

  get variables(): Readonly<NodeJS.ProcessEnv> {
    return process.env === this.#view && !this.#isWritten ? this.#initial : { ...process.env };
  }
}
