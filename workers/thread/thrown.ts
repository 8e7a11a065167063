/** From whatever was thrown to plain text that crosses threads. */
import { spawnSync } from 'node:child_process';
import { inspect } from 'node:util';
import { isNativeError, isPromise } from 'node:util/types';
import type { Thrown } from '../../src/domain/failure.ts';
import type { Redactor } from '../../src/secrets/redactor.ts';
import { firstOf } from '../../src/text/cut-text.ts';

const MAX_MESSAGE = 8_192;
/** Of each cause. */
const MAX_CAUSE = 2_000;
const MAX_STACK = 16_384;
const SHOWN = { depth: 2, maxStringLength: 2_000 };
const ON_ONE_LINE = { breakLength: Number.POSITIVE_INFINITY };

/** Longest message that is looked through for problems in JSON. */
const MAX_JSON = 100_000;
/** Most problems of one message. */
const PROBLEMS = 10;

/**
 * Flattens whatever was thrown into plain text fields without secrets. Never throws, whatever getters or proxies the
 * value has.
 */
export function flattenThrown(value: unknown, redactor: Redactor): Thrown {
  try {
    return isErrorLike(value) ? flattenError(value, redactor) : flattenOther(value, redactor);
  } catch {
    return { name: 'Error', message: 'a value was thrown that can not be read' };
  }
}

type Plain = Omit<Thrown, 'stack' | 'causes'>;

function flattenError(error: Error, redactor: Redactor): Thrown {
  if (textOf(() => error.name) === null && textOf(() => error.message) === null)
    throw new TypeError('it says neither its name nor its message');
  const stack = stackOf(error);
  const own = plainError(error, redactor, MAX_MESSAGE);
  const causes = distinctCauses(
    own,
    causesOf(error).map((cause) => plainCause(cause, redactor)),
  );
  const isEmpty = own.message === '' && own.code === undefined && causes.length === 0;
  return {
    ...own,
    message: isEmpty ? placeOf(stack) : own.message,
    stack: cut(redacted(stack, redactor), MAX_STACK),
    ...(causes.length === 0 ? {} : { causes }),
  };
}

/** A property of an error may throw when it is read, which is no reason to lose the error's own message. */
function stackOf(error: Error): string {
  try {
    return inspect(error, { ...SHOWN, maxArrayLength: 20 });
  } catch {
    // Node makes the stack when it is first read, from the message.
    return textOf(() => error.stack) ?? '';
  }
}

/** As text; null where it can't be read. */
function textOf(read: () => unknown): string | null {
  try {
    return String(read());
  } catch {
    return null;
  }
}

function plainError(error: Error, redactor: Redactor, limit: number): Plain {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const short = (text: string, length: number): string => cut(redacted(text, redactor), length);
  return {
    name: short(textOf(() => error.name) || 'Error', 200),
    message: short(readable((textOf(() => error.message) ?? '').trim()), limit),
    ...(code === undefined ? {} : { code: short(code, 200) }),
  };
}

/** What is no error has no name, and is shown on one line. */
function plainCause(cause: unknown, redactor: Redactor): Plain {
  try {
    if (isErrorLike(cause)) return plainError(cause, redactor, MAX_CAUSE);
    const shown = typeof cause === 'string' ? cause : inspect(cause, { ...SHOWN, ...ON_ONE_LINE });
    return { name: '', message: cut(redacted(shown.trim(), redactor), MAX_CAUSE) };
  } catch {
    return { name: '', message: 'a value that can not be read' };
  }
}

/** The causes that add something: many errors repeat the message of their cause. */
function distinctCauses(error: Plain, causes: readonly Plain[]): Plain[] {
  let known = error.message;
  return causes.filter(({ message, code = '' }) => {
    const isNew = message === '' ? code !== '' : !known.includes(message);
    known += `\n${message}`;
    return isNew;
  });
}

/** Where an error without a message was thrown: all that distinguishes it from another one. */
function placeOf(stack: string): string {
  const place = /^\s+at (?!node:)(?:.*\((?!node:))?.*?([^/\\()\s]+:\d+):\d+\)?$/m.exec(stack)?.[1];
  return place === undefined ? '' : `no message, thrown at ${place}`;
}

/** Libraries that check data, such as zod, have the list of its problems as JSON for a message. */
function readable(message: string): string {
  if (!message.startsWith('[') || message.length > MAX_JSON) return message;
  const problems = problemsIn(message);
  if (problems === null || problems.length === 0) return message;
  const left = problems.length - PROBLEMS;
  return problems.slice(0, PROBLEMS).join('; ') + (left > 0 ? `; and ${left} more` : '');
}

function problemsIn(json: string): string[] | null {
  const list = parsed(json);
  if (!Array.isArray(list)) return null;
  const problems = list.map(problemOf);
  return problems.every((problem) => problem !== null) ? problems : null;
}

function problemOf(value: unknown): string | null {
  if (typeof value !== 'object' || value === null) return null;
  if (!('message' in value) || typeof value.message !== 'string') return null;
  const path = 'path' in value && Array.isArray(value.path) ? value.path.map(String).join('.') : '';
  return path === '' ? value.message : `${path}: ${value.message}`;
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    // A text that only starts like a list.
    return null;
  }
}

/** Node keeps what belongs to an execution on its promises, and shows that of a promise. */
function flattenOther(value: unknown, redactor: Redactor): Thrown {
  if (isPromise(value))
    return { name: 'thrown promise', message: 'a promise; await it, and throw what it rejects with' };
  const shown = typeof value === 'string' ? value.trim() : inspect(value, SHOWN);
  return {
    name: `thrown ${value === null ? 'null' : typeof value}`,
    message: cut(redacted(shown, redactor), MAX_MESSAGE),
  };
}

/** Where Node cut a long text, half a secret may be left. */
function redacted(text: string, redactor: Redactor): string {
  const pieces = text.split(/(?=['"`]\.\.\. \d+ more characters?)/);
  const last = pieces.pop() ?? '';
  return [...pieces.map((piece) => redactor.cutText(piece)), redactor.text(last)].join('');
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${firstOf(text, length)}… (${text.length} characters)`;
}

// Walks from an error to what it names as its causes.

/** Most causes of one error. */
const MOST = 5;
/** Most that are looked at: a chain may be made without end. */
const VISITED = 1_000;

/** An error of any realm, or what has the fields of one. @throws what a proxy throws that refuses to be looked at. */
function isErrorLike(value: unknown): value is Error {
  if (typeof value !== 'object' || value === null) return false;
  if (isNativeError(value) || value instanceof Error) return true;
  const fields: Partial<Record<'name' | 'message', unknown>> = value;
  return typeof fields.name === 'string' && typeof fields.message === 'string';
}

function isReadableError(value: unknown): value is Error {
  try {
    return isErrorLike(value);
  } catch {
    return false;
  }
}

/**
 * The causes of an error, the nearest first, each once: `cause` of any kind, the `errors` of an AggregateError, and the
 * two of a SuppressedError. Of more than 5 the first ones, and the last, which is the root.
 */
function causesOf(error: Error): unknown[] {
  const seen = new Set<unknown>([error]);
  const open = direct(error);
  const found: unknown[] = [];
  while (open.length > 0 && seen.size < VISITED) {
    const cause = open.shift();
    if (seen.has(cause)) continue;
    seen.add(cause);
    found.push(cause);
    if (isReadableError(cause)) open.unshift(...direct(cause));
  }
  const last = found.at(-1);
  if (found.length <= MOST) return found;
  return [...found.slice(0, MOST - 2), `(${found.length - MOST + 1} more)`, last];
}

/** A getter that throws is no cause. */
function direct(error: Error): unknown[] {
  try {
    const several = 'errors' in error && Array.isArray(error.errors) ? error.errors : [];
    const errors = several
      .slice(0, VISITED)
      .filter((each) => isReadableError(each) || error.name === 'AggregateError');
    const suppressed =
      error.name === 'SuppressedError' && 'error' in error && 'suppressed' in error
        ? [error.error, error.suppressed]
        : [];
    return [...errors, ...suppressed, error.cause].filter((cause) => cause !== undefined && cause !== null);
  } catch {
    return [];
  }
}

/** `instanceof` for a value of a workstream's making: false where a proxy throws instead of answering. */
export function isInstance<T>(value: unknown, type: abstract new (...args: never[]) => T): value is T {
  try {
    return value instanceof type;
  } catch {
    return false;
  }
}

/**
 * File, line and source line of a module's syntax error, as `node --check` prints it; null when the error is in
 * another file. An error from `import()` does not say where it is, and this runs only after one.
 */
export function syntaxErrorPlace(file: string): string | null {
  const check = spawnSync(process.execPath, ['--check', file], { encoding: 'utf8', timeout: 10_000 });
  if (check.status === 0 || check.stderr === null) return null;
  return check.stderr.split('\n').slice(0, 3).join('\n').trim() || null;
}
