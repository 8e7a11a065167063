import { inspect } from 'node:util';
import type { Thrown } from '../src/domain/failure.ts';
import type { Redactor } from '../src/support/redactor.ts';

const MAX_MESSAGE = 8_192;
const MAX_STACK = 16_384;
const SHOWN = { depth: 2, maxStringLength: 2_000 };

/**
 * Flattens whatever was thrown into plain text fields without secrets. Never throws, whatever getters or proxies the
 * value has.
 */
export function flattenThrown(value: unknown, redactor: Redactor): Thrown {
  try {
    return value instanceof Error ? flattenError(value, redactor) : flattenOther(value, redactor);
  } catch {
    return { name: 'Error', message: 'a value was thrown that can not be read' };
  }
}

function flattenError(error: Error, redactor: Redactor): Thrown {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const stack = inspect(error, { ...SHOWN, maxArrayLength: 20 });
  const short = (text: string, length: number): string => cut(redacted(text, redactor), length);
  return {
    name: short(String(error.name), 200),
    message: short(String(error.message), MAX_MESSAGE),
    ...(code === undefined ? {} : { code: short(code, 200) }),
    stack: short(stack, MAX_STACK),
  };
}

function flattenOther(value: unknown, redactor: Redactor): Thrown {
  const shown = typeof value === 'string' ? value : inspect(value, SHOWN);
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
  return text.length <= length ? text : `${text.slice(0, length)}… (${text.length} characters)`;
}
