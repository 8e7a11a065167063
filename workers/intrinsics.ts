/** The functions that all code of a thread shares, and that code can put others in the place of. */
import { AsyncLocalStorage } from 'node:async_hooks';
import childProcess, { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import fs from 'node:fs';

type Holder = Record<string | symbol, unknown>;

const isHolder = (value: unknown): value is Holder =>
  (typeof value === 'object' && value !== null) || typeof value === 'function';

function holderOf(value: unknown): Holder {
  if (isHolder(value)) return value;
  throw new TypeError('this version of Node has no such object');
}

/** What our own code and nearly every module calls. */
const ESSENTIAL: [string, unknown, string[]][] = [
  ['', globalThis, ['Date', 'setTimeout', 'clearTimeout', 'setInterval', 'setImmediate', 'Promise']],
  ['', globalThis, ['performance', 'console', 'process']],
  ['JSON.', JSON, ['parse', 'stringify']],
  ['Promise.prototype.', Promise.prototype, ['then']],
  ['Date.', Date, ['now']],
  ['performance.', performance, ['now']],
  ['Math.', Math, ['random']],
  ['Object.', Object, ['keys', 'entries', 'assign']],
  ['Array.prototype.', Array.prototype, ['map', 'filter', 'push', 'slice', 'join', 'forEach']],
  ['Map.prototype.', Map.prototype, ['get', 'set']],
  ['String.prototype.', String.prototype, ['slice', 'split']],
  ['process.', process, ['exit']],
  ['console.', console, ['log']],
];

const prototypeOf = (value: unknown): unknown => Object.getPrototypeOf(value);
const TypedArray = holderOf(prototypeOf(Uint8Array));

/** Those of which every function counts. */
const WHOLE: [string, unknown][] = [
  ['', globalThis],
  ['Object.', Object],
  ['Object.prototype.', Object.prototype],
  ['Function.prototype.', Function.prototype],
  ['Array.', Array],
  ['Array.prototype.', Array.prototype],
  ['the iterator of arrays: ', prototypeOf([][Symbol.iterator]())],
  ['String.', String],
  ['String.prototype.', String.prototype],
  ['Number.', Number],
  ['Number.prototype.', Number.prototype],
  ['Symbol.', Symbol],
  ['RegExp.prototype.', RegExp.prototype],
  ['Map.prototype.', Map.prototype],
  ['the iterator of maps: ', prototypeOf(new Map().entries())],
  ['Set.prototype.', Set.prototype],
  ['the iterator of sets: ', prototypeOf(new Set().values())],
  ['WeakMap.prototype.', WeakMap.prototype],
  ['Promise.', Promise],
  ['Promise.prototype.', Promise.prototype],
  ['JSON.', JSON],
  ['Math.', Math],
  ['Reflect.', Reflect],
  ['Atomics.', Atomics],
  ['Date.', Date],
  ['Date.prototype.', Date.prototype],
  ['Error.', Error],
  ['Error.prototype.', Error.prototype],
  ['TypedArray.', TypedArray],
  ['TypedArray.prototype.', TypedArray['prototype']],
  ['Buffer.', Buffer],
  ['Buffer.prototype.', Buffer.prototype],
  ['EventEmitter.prototype.', EventEmitter.prototype],
  ['EventTarget.prototype.', EventTarget.prototype],
  ['AbortSignal.', AbortSignal],
  ['AbortController.prototype.', AbortController.prototype],
  ['AsyncLocalStorage.prototype.', AsyncLocalStorage.prototype],
  ['performance.', prototypeOf(performance)],
  ['console.', console],
  ['process.', process],
  ['process.stdout.', process.stdout],
  ['process.stderr.', process.stderr],
  ['fs.', fs],
  ['child_process.', childProcess],
  ['ChildProcess.prototype.', ChildProcess.prototype],
];

/** What widely used packages wrap when they are loaded, without changing what it does for others. */
const WRAPPED = new Set(['process.cwd', 'process.chdir', 'process.emit', 'process.reallyExit']);

/** Prototypes to which an addition is one to every object. */
const BASES: object[] = [Object.prototype, Array.prototype, Function.prototype];

const { ownKeys, getOwnPropertyDescriptor, defineProperty } = Reflect;

/** Made when the thread starts, after our own code has put its functions in place. */
export class Intrinsics {
  readonly #names: string[] = [];
  readonly #holders: Holder[] = [];
  readonly #keys: (string | symbol)[] = [];
  readonly #values: unknown[] = [];
  readonly #essential: number;
  readonly #sizes = BASES.map((base) => ownKeys(base).length);

  constructor() {
    for (const [name, holder, keys] of ESSENTIAL)
      for (const key of keys) this.#add(name, holderOf(holder), key);
    this.#essential = this.#values.length;
    for (const [name, value] of WHOLE) this.#addAll(name, holderOf(value));
  }

  #addAll(name: string, holder: Holder): void {
    for (const key of ownKeys(holder)) {
      // What is loaded at its first use is a getter until then.
      const value: unknown = getOwnPropertyDescriptor(holder, key)?.value;
      if (typeof value === 'function' && !WRAPPED.has(name + String(key))) this.#add(name, holder, key);
    }
  }

  #add(name: string, holder: Holder, key: string | symbol): void {
    this.#names.push(name + String(key));
    this.#holders.push(holder);
    this.#keys.push(key);
    this.#values.push(holder[key]);
  }

  /**
   * The name of one that is not what it was when the thread started; null for none. Calls nothing that can be changed.
   * @param isThorough whether all are compared, which takes some 50 times as long as what is essential.
   */
  changed(isThorough: boolean): string | null {
    const end = isThorough ? this.#values.length : this.#essential;
    for (let index = 0; index < end; index += 1) {
      const holder = this.#holders[index];
      const key = this.#keys[index];
      if (holder === undefined || key === undefined || holder[key] !== this.#values[index])
        return this.#names[index] ?? '';
    }
    return isThorough ? this.#addition() : null;
  }

  /** Puts all of them back, so that our own code works until the thread has ended. */
  restore(): void {
    for (let index = 0; index < this.#values.length; index += 1) {
      const holder = this.#holders[index];
      const key = this.#keys[index];
      const value = this.#values[index];
      if (holder === undefined || key === undefined || holder[key] === value) continue;
      defineProperty(holder, key, { value, writable: true, configurable: true, enumerable: false });
    }
  }

  #addition(): string | null {
    for (let index = 0; index < BASES.length; index += 1) {
      const base = BASES[index];
      if (base !== undefined && ownKeys(base).length > (this.#sizes[index] ?? 0))
        return 'a prototype that all objects have';
    }
    return null;
  }
}
