/** Keys that stand more than once in one object: JSON lets the last one count, and the others go without a word. */
import { visit } from 'jsonc-parser';
import type { Json } from '../domain/json.ts';
import type { JsonPath } from './locate.ts';
import type { Place } from './place.ts';

export interface RepeatedKey {
  /** Of the key. */
  path: JsonPath;
  /** Where it stands, twice at least. */
  offsets: number[];
}

/** Most that are looked for in a file. */
const MAX_KEYS = 1000;

/** The repeated keys of text that was parsed. Only where there are any is the text read as JSON again. */
export function repeatedKeys(text: string, { value, keys }: { value: Json; keys: number }): RepeatedKey[] {
  return countKeys(value) === keys ? [] : findRepeatedKeys(text);
}

function countKeys(value: Json): number {
  if (typeof value !== 'object' || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) {
    for (const element of value) count += countKeys(element);
    return count;
  }
  for (const key of Object.keys(value)) count += 1 + countKeys(value[key] ?? null);
  return count;
}

function findRepeatedKeys(text: string): RepeatedKey[] {
  const objects: Map<string, number[]>[] = [];
  const repeated: RepeatedKey[] = [];
  visit(
    text,
    {
      onObjectBegin: () => void objects.push(new Map()),
      onObjectEnd: () => void objects.pop(),
      onObjectProperty: (name, offset, _length, _line, _column, pathOfObject) => {
        const offsets = objects.at(-1)?.get(name);
        if (offsets === undefined) {
          objects.at(-1)?.set(name, [offset]);
          return;
        }
        offsets.push(offset);
        if (offsets.length === 2 && repeated.length < MAX_KEYS)
          repeated.push({ path: [...pathOfObject(), name], offsets });
      },
    },
    { allowTrailingComma: true },
  );
  return repeated;
}

/** Most places that one message names. */
const MAX_PLACES = 5;

/** @param others its places but the last. */
export function repeatedMessage(others: readonly Place[]): string {
  const named = others.slice(0, MAX_PLACES).map(({ line, column }) => `${line}:${column}`);
  const more = others.length > named.length ? ` and ${others.length - named.length} more` : '';
  return `this key is given ${others.length === 1 ? 'twice' : `${others.length + 1} times`}, also at ${named.join(', ')}${more}; keep one of them`;
}
