/**
 * Which values lose content when they are written as JSON. Values may come from other realms, such as a `node:vm`
 * context, and may be proxies: they are told apart by what they are and not by `instanceof`.
 */
import { types } from 'node:util';
import { firstOf } from '../../src/text/cut-text.ts';

/** Where a value stands: the name of the result's field, then the keys that lead to the value. */
export type Keys = (string | number)[];

const MAX_PATH = 200;

/** As JavaScript writes it: `output.rows[3].when`. */
export function fieldPath(keys: Keys): string {
  const path = keys
    .map((key, index) => {
      if (index === 0) return String(key);
      if (typeof key === 'number') return `[${key}]`;
      return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
    })
    .join('');
  return path.length <= MAX_PATH ? path : `${firstOf(path, MAX_PATH)}…`;
}

/** Reads a property, whatever getters do. @throws InvalidResultError where reading throws. */
export function read(holder: object, key: string | number, path: Keys): unknown {
  try {
    const value: unknown = Reflect.get(Object(holder), key, holder);
    return value;
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** Why a value can't be kept, with what to do about it; null for one that can. The sentence's subject is its path. */
export function refusal(value: unknown, path: Keys): string | null {
  try {
    const kind = typeof value === 'object' && value !== null ? kindOf(value) : kindOfScalar(value);
    return kind === null ? null : `is ${kind.name}, which JSON can't hold. ${kind.advice}`;
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** Names of what JSON keeps of an object. @throws InvalidResultError where they can't be listed. */
export function propertiesOf(value: object, path: Keys): string[] {
  try {
    return Object.keys(value);
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** Whether it is an object whose properties are all that there is to it, and so no array and nothing with `toJSON`. */
export function isRecord(value: unknown): value is object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  try {
    return !hasToJson(value) && !isIterator(value) && kindOf(value) === null;
  } catch {
    // A proxy or a getter that throws.
    return false;
  }
}

/** "a Map", "an Error", "a number": what a value is, for a sentence. */
export function nameOf(value: unknown): string {
  if (value === null) return 'null';
  if (typeof value !== 'object') return withArticle(typeof value);
  try {
    if (Array.isArray(value)) return 'an array';
    if (isIterator(value)) return ITERATOR;
    return kindOf(value)?.name ?? classOf(value);
  } catch {
    return 'an object that can not be read';
  }
}

/** A DOMException is one for Node itself only from 24 on. */
export function isError(value: unknown): value is Error {
  return types.isNativeError(value) || value instanceof DOMException;
}

export const ITERATOR = 'an iterator';

interface LossyKind {
  name: string;
  advice: string;
}

const LEAVE_OUT = 'Leave it out.';

/** Objects with content that is in no property. */
const KINDS: readonly [(value: object) => boolean, LossyKind][] = [
  [isError, { name: 'an Error', advice: 'Throw it to fail, or return its message.' }],
  [types.isMap, { name: 'a Map', advice: 'Return Object.fromEntries(map) or [...map].' }],
  [types.isSet, { name: 'a Set', advice: 'Return [...set].' }],
  [isAwaitable, { name: 'a promise that was not awaited', advice: 'Await it.' }],
  [types.isRegExp, { name: 'a RegExp', advice: 'Return its source.' }],
  [types.isWeakMap, { name: 'a WeakMap', advice: LEAVE_OUT }],
  [types.isWeakSet, { name: 'a WeakSet', advice: LEAVE_OUT }],
  [types.isSymbolObject, { name: 'a symbol', advice: 'Return its description.' }],
  [types.isBigIntObject, { name: 'a BigInt', advice: 'Return it as a string.' }],
  [isIterator, { name: ITERATOR, advice: 'Collect its values in an array.' }],
];

/** Null for what JSON keeps whole: plain objects, arrays, what has `toJSON`, and what shows nothing but properties. */
function kindOf(value: object): LossyKind | null {
  if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value))
    return { name: 'binary data', advice: 'Write it to a file and return the path.' };
  if (hasToJson(value)) return null;
  if (Array.isArray(value)) return kindOfArray(value);
  const prototype: object | null = Object.getPrototypeOf(value);
  if (isBasePrototype(prototype)) return kindOfPlain(value);
  const found = KINDS.find(([isKind]) => isKind(value));
  if (found !== undefined) return found[1];
  if (isBoxed(value)) return null;
  if (Object.keys(value).length > 0 && !inheritsContent(prototype)) return kindOfPlain(value);
  return {
    name: classOf(value),
    advice: 'Copy what counts into a plain object, or give it a toJSON method.',
  };
}

function kindOfPlain(value: object): LossyKind | null {
  for (const symbol of Object.getOwnPropertySymbols(value)) {
    if (Object.prototype.propertyIsEnumerable.call(value, symbol))
      return {
        name: `an object with the key ${firstOf(String(symbol), 100)}`,
        advice: 'Use strings as keys.',
      };
  }
  return null;
}

/** Listing the keys of longer ones takes too much memory. */
const MAX_LISTED = 100_000;

/** What stands beside the items, as in the match of a regular expression, would be lost. */
function kindOfArray(array: unknown[]): LossyKind | null {
  if (array.length > MAX_LISTED) return null;
  // Names come after all indexes.
  const last = Object.keys(array).at(-1);
  if (last === undefined || /^\d+$/.test(last)) return null;
  return {
    name: `an array with the property ${JSON.stringify(firstOf(last, 100))}`,
    advice: 'Return [...array], or an object.',
  };
}

/** That of object literals, in whichever realm, or none. */
function isBasePrototype(prototype: object | null): boolean {
  if (prototype === null || prototype === Object.prototype) return true;
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'hasOwnProperty');
}

/** Whether something that is no method can be read through its class: JSON leaves that out. */
function inheritsContent(prototype: object | null): boolean {
  for (let each = prototype; each !== null && !isBasePrototype(each); each = Object.getPrototypeOf(each)) {
    const properties = Object.values(Object.getOwnPropertyDescriptors(each));
    if (properties.some((property) => property.get !== undefined || typeof property.value !== 'function'))
      return true;
  }
  return false;
}

const isBoxed = (value: object): boolean =>
  types.isStringObject(value) || types.isNumberObject(value) || types.isBooleanObject(value);

const hasToJson = (value: object): boolean => isCallable(value, 'toJSON');

function isAwaitable(value: object): boolean {
  return types.isPromise(value) || isCallable(value, 'then');
}

function isIterator(value: object): boolean {
  if (types.isGeneratorObject(value)) return true;
  const isIterable = isCallable(value, Symbol.iterator) || isCallable(value, Symbol.asyncIterator);
  return isIterable && isCallable(value, 'next');
}

const isCallable = (value: object, key: string | symbol): boolean =>
  typeof Reflect.get(value, key) === 'function';

/** "an object of class Point"; what says what it is by `Symbol.toStringTag`, as a Blob does, by that. */
function classOf(value: object): string {
  const tag = Object.prototype.toString.call(value).slice('[object '.length, -1);
  if (tag !== 'Object') return withArticle(firstOf(tag, 100));
  const { name } = Object(Reflect.get(value, 'constructor'));
  return typeof name === 'string' && name !== '' && name !== 'Object'
    ? `an object of class ${firstOf(name, 100)}`
    : 'an object';
}

const withArticle = (name: string): string => `${/^[aeioAEIOu]/.test(name) ? 'an' : 'a'} ${name}`;

function kindOfScalar(value: unknown): LossyKind | null {
  if (typeof value === 'function') return { name: 'a function', advice: 'Call it and return the result.' };
  if (typeof value === 'symbol') return { name: 'a symbol', advice: 'Return its description.' };
  if (typeof value !== 'bigint' || hasToJson(Object(value))) return null;
  return { name: 'a BigInt', advice: 'Return it as a string.' };
}

/** What was thrown, in one line. */
export function shownError(error: unknown): string {
  try {
    return firstOf(String(error).split('\n', 1)[0] ?? '', 200);
  } catch {
    return 'what can not be read';
  }
}

const unreadable = (path: Keys, error: unknown): InvalidResultError =>
  new InvalidResultError(`${fieldPath(path)} can't be read: that throws ${shownError(error)}`);

/** What a module returned can't be used; the message says where and why. */
export class InvalidResultError extends Error {
  override name = 'InvalidResultError';
}
