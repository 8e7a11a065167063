import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';

type Exports = Record<string, unknown>;

const { cache: commonJs } = createRequire(import.meta.url);

/**
 * What a module exports. Node finds the exports of a CommonJS module by reading its source, so that some are missing
 * in the namespace; and its default export is `module.exports`, also where a compiler has put the default export of
 * an ES module into `exports.default`. Both are looked up in `module.exports`.
 */
export class LoadedModule {
  readonly #namespace: Exports;
  /** `module.exports` of a CommonJS module; null for an ES module. */
  readonly #exports: Exports | null;

  /** @param namespace what `import()` of the file returned. */
  constructor(namespace: Exports, file: string) {
    this.#namespace = namespace;
    const exports = namespace['default'];
    this.#exports = hasMembers(exports) && commonJs[realpathSync(file)]?.exports === exports ? exports : null;
  }

  /** The export of this name; undefined for none. */
  get(name: string): unknown {
    const inNamespace = this.#namespace[name];
    if (this.#exports === null) return inNamespace;
    if (name !== 'default') return inNamespace ?? this.#exports[name];
    const isCompiled = this.#exports['__esModule'] === true || typeof inNamespace !== 'function';
    return isCompiled ? (this.#exports['default'] ?? inNamespace) : inNamespace;
  }

  /** The names of its functions. */
  get functions(): string[] {
    const names = new Set([...Object.keys(this.#namespace), ...Object.keys(this.#exports ?? {})]);
    // Node 23 and later add this name to the namespace of a CommonJS module.
    names.delete('module.exports');
    return [...names].filter((name) => typeof this.get(name) === 'function').toSorted();
  }
}

const hasMembers = (value: unknown): value is Exports =>
  (typeof value === 'object' && value !== null) || typeof value === 'function';
