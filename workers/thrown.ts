import { inspect } from 'node:util';
import type { Thrown } from '../src/domain/failure.ts';

const MAX_MESSAGE = 8_192;
const MAX_STACK = 16_384;

/** Flattens whatever was thrown into plain text fields. Never throws, whatever getters or proxies the value has. */
export function flattenThrown(value: unknown): Thrown {
  try {
    return value instanceof Error ? flattenError(value) : flattenOther(value);
  } catch {
    return { name: 'Error', message: 'a value was thrown that can not be read' };
  }
}

function flattenError(error: Error): Thrown {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const stack = inspect(error, { depth: 2, maxStringLength: 2_000, maxArrayLength: 20 });
  return {
    name: cut(String(error.name), 200),
    message: cut(String(error.message), MAX_MESSAGE),
    ...(code === undefined ? {} : { code: cut(code, 200) }),
    stack: cut(stack, MAX_STACK),
  };
}

function flattenOther(value: unknown): Thrown {
  const shown = typeof value === 'string' ? value : inspect(value, { depth: 2, maxStringLength: 2_000 });
  return { name: `thrown ${value === null ? 'null' : typeof value}`, message: cut(shown, MAX_MESSAGE) };
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length)}… (${text.length} characters)`;
}
