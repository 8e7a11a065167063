/** Walks from an error to what it names as its causes. */
import { isNativeError } from 'node:util/types';

/** Most causes of one error. */
const MOST = 5;
/** Most that are looked at: a chain may be made without end. */
const VISITED = 1_000;

/** An error of any realm, or what has the fields of one. @throws what a proxy throws that refuses to be looked at. */
export function isErrorLike(value: unknown): value is Error {
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
export function causesOf(error: Error): unknown[] {
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
