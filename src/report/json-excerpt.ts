import type { Json } from '../domain/json.ts';
import { excerpt } from './excerpt.ts';
import { firstOf } from '../support/cut-text.ts';

const ITEMS = 30;
const DEPTH = 8;
const VALUES = 400;

/** A value as indented JSON of at most `limit` characters. What is left out is said, and costs nothing. */
export function jsonExcerpt(value: Json, limit: number): string {
  return excerpt(JSON.stringify(abridge(value, limit, { left: VALUES }, 0), null, 2), limit, 'start');
}

function abridge(value: Json, limit: number, budget: { left: number }, depth: number): Json {
  budget.left -= 1;
  if (typeof value === 'string') return value.length <= limit ? value : `${firstOf(value, limit)}…`;
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= DEPTH || budget.left <= 0) return '…';
  if (Array.isArray(value)) {
    const items = value.slice(0, ITEMS).map((item) => abridge(item, limit, budget, depth + 1));
    return value.length > ITEMS ? [...items, `… ${value.length - ITEMS} more`] : items;
  }
  const entries = Object.entries(value);
  const kept = entries
    .slice(0, ITEMS)
    .map(([key, item]): [string, Json] => [firstOf(key, 200), abridge(item, limit, budget, depth + 1)]);
  if (entries.length > ITEMS) kept.push(['…', `${entries.length - ITEMS} more`]);
  return Object.fromEntries(kept);
}
