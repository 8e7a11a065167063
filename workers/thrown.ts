/** From whatever was thrown to plain text that crosses threads. */
import { inspect } from 'node:util';
import type { Thrown } from '../src/domain/failure.ts';
import type { Redactor } from '../src/support/redactor.ts';
import { causesOf, isErrorLike } from './causes.ts';
import { firstOf } from '../src/support/cut-text.ts';

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
  const causes = tellingCauses(
    own,
    causesOf(error).map((cause) => plainCause(cause, redactor)),
  );
  const saysNothing = own.message === '' && own.code === undefined && causes.length === 0;
  return {
    ...own,
    message: saysNothing ? placeOf(stack) : own.message,
    stack: cut(redacted(stack, redactor), MAX_STACK),
    ...(causes.length === 0 ? {} : { causes }),
  };
}

/** What an error holds may refuse to be looked at, which is no reason to lose what it says itself. */
function stackOf(error: Error): string {
  try {
    return inspect(error, { ...SHOWN, maxArrayLength: 20 });
  } catch {
    // Node makes the stack at the first look at it, and reads the message for that.
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

/** Those that add to what was said before them: many errors repeat the message of their cause. */
function tellingCauses(error: Plain, causes: readonly Plain[]): Plain[] {
  let said = error.message;
  return causes.filter(({ message, code = '' }) => {
    const isNew = message === '' ? code !== '' : !said.includes(message);
    said += `\n${message}`;
    return isNew;
  });
}

/** Where an error without any words was thrown: the only thing that tells it from another one. */
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
    // A text that only begins like a list.
    return null;
  }
}

function flattenOther(value: unknown, redactor: Redactor): Thrown {
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
