/** The functions that all code of a thread shares, and that code can replace. */
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

// The objects as they are when the thread starts, whatever stands under their names later.
const globals = holderOf(globalThis);
const json = holderOf(JSON);
const promises = holderOf(Promise.prototype);
const date = holderOf(Date);
const clock = holderOf(performance);
const math = holderOf(Math);
const object = holderOf(Object);
const objects = holderOf(Object.prototype);
const arrays = holderOf(Array.prototype);
const maps = holderOf(Map.prototype);
const strings = holderOf(String.prototype);
const ownProcess = holderOf(process);
const ownConsole = holderOf(console);

/** What our own code and nearly every module calls. `readEssential` reads the same in the same order. */
export const ESSENTIAL: readonly [string, Holder, readonly (string | symbol)[]][] = [
  [
    '',
    globals,
    [
      'Date',
      'setTimeout',
      'clearTimeout',
      'setInterval',
      'setImmediate',
      'Promise',
      'performance',
      'console',
      'process',
    ],
  ],
  ['JSON.', json, ['parse', 'stringify']],
  ['Promise.prototype.', promises, ['then']],
  ['Date.', date, ['now']],
  ['performance.', clock, ['now']],
  ['Math.', math, ['random']],
  ['Object.', object, ['keys', 'entries', 'assign']],
  // There is none. What has one is a promise to all code that awaits it.
  ['Object.prototype.', objects, ['then']],
  ['Array.prototype.', arrays, ['map', 'filter', 'push', 'slice', 'join', 'forEach', Symbol.iterator]],
  ['Map.prototype.', maps, ['get', 'set']],
  ['String.prototype.', strings, ['slice', 'split']],
  ['process.', ownProcess, ['exit']],
  ['console.', ownConsole, ['log']],
];

/** Written out: reading so many by name, each of another object, takes ten times as long. */
export const readEssential = (): unknown[] => [
  globals['Date'],
  globals['setTimeout'],
  globals['clearTimeout'],
  globals['setInterval'],
  globals['setImmediate'],
  globals['Promise'],
  globals['performance'],
  globals['console'],
  globals['process'],
  json['parse'],
  json['stringify'],
  promises['then'],
  date['now'],
  clock['now'],
  math['random'],
  object['keys'],
  object['entries'],
  object['assign'],
  objects['then'],
  arrays['map'],
  arrays['filter'],
  arrays['push'],
  arrays['slice'],
  arrays['join'],
  arrays['forEach'],
  arrays[Symbol.iterator],
  maps['get'],
  maps['set'],
  strings['slice'],
  strings['split'],
  ownProcess['exit'],
  ownConsole['log'],
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

const { ownKeys, getOwnPropertyDescriptor, defineProperty, deleteProperty } = Reflect;

/** Whether a property has that value. Code may have put a getter in its place, which may throw. */
function isStill(holder: Holder, key: string | symbol, value: unknown): boolean {
  try {
    return holder[key] === value;
  } catch {
    return false;
  }
}

/** Made when the thread starts, after our own code has put its functions in place. */
export class Intrinsics {
  readonly #names: string[] = [];
  readonly #holders: Holder[] = [];
  readonly #keys: (string | symbol)[] = [];
  readonly #values: unknown[] = [];
  readonly #essential = readEssential();
  readonly #keysOfBases = BASES.map((base) => ownKeys(base));

  constructor() {
    for (const [name, holder, keys] of ESSENTIAL) for (const key of keys) this.#add(name, holder, key);
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
   * The name of one that is not what it was when the thread started; null for none. Nothing that it calls can be changed,
   * so that it never throws.
   * @param isThorough whether all are compared, which takes some 50 times as long as what is essential.
   */
  changed(isThorough: boolean): string | null {
    if (isThorough) return this.#different() ?? this.#addition();
    return this.#hasEssential() ? null : this.#different();
  }

  #hasEssential(): boolean {
    try {
      const essential = readEssential();
      for (let index = 0; index < essential.length; index += 1)
        if (essential[index] !== this.#essential[index]) return false;
      return true;
    } catch {
      // A getter stands in the place of one.
      return false;
    }
  }

  #different(): string | null {
    for (let index = 0; index < this.#values.length; index += 1) {
      const holder = this.#holders[index];
      const key = this.#keys[index];
      if (holder === undefined || key === undefined || !isStill(holder, key, this.#values[index]))
        return this.#names[index] ?? '';
    }
    return null;
  }

  /** Puts all of them back, and takes additions away, so that our own code works until the thread has ended. */
  restore(): void {
    this.#takeAdditions();
    for (let index = 0; index < this.#values.length; index += 1) {
      const holder = this.#holders[index];
      const key = this.#keys[index];
      const value = this.#values[index];
      if (holder === undefined || key === undefined || isStill(holder, key, value)) continue;
      // Without a prototype, in which code may have put what no descriptor of a value has.
      const property = { __proto__: null, value, writable: true, configurable: true, enumerable: false };
      defineProperty(holder, key, property);
    }
  }

  #addition(): string | null {
    for (let index = 0; index < BASES.length; index += 1) {
      const base = BASES[index];
      const keys = this.#keysOfBases[index];
      if (base !== undefined && keys !== undefined && ownKeys(base).length > keys.length)
        return 'a prototype that all objects have';
    }
    return null;
  }

  #takeAdditions(): void {
    for (let index = 0; index < BASES.length; index += 1) {
      const base = BASES[index];
      const known = this.#keysOfBases[index];
      if (base === undefined || known === undefined) continue;
      const keys = ownKeys(base);
      for (let at = 0; at < keys.length; at += 1) {
        const key = keys[at];
        if (key !== undefined && !isAmong(key, known)) deleteProperty(base, key);
      }
    }
  }
}

/** Written out: code may have changed what arrays have for it. */
function isAmong(key: string | symbol, keys: readonly (string | symbol)[]): boolean {
  for (let index = 0; index < keys.length; index += 1) if (keys[index] === key) return true;
  return false;
}
