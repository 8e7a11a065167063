/**
 * Ids of the members of a matrix, made of their values: `ws-burn-rate-0.1-seed-3`. They stay what they are when values are
 * added, removed or put in another order, because each depends on the values of its own member alone; only where two
 * members would have one id does the later one get another.
 */
import { hash } from 'node:crypto';
import type { Json, JsonObject } from '../domain/json.ts';
import { canonical } from './json-value.ts';

/** Longest id in characters. */
const MAX_ID = 100;
/** Longest part of an id that stands for one value. */
const MAX_VALUE = 40;
/** Digits of a hash: of a value, and of a whole member. */
const VALUE_DIGITS = 6;
const MEMBER_DIGITS = 10;

/**
 * An id for each member, in their order.
 * @param members the values that tell them apart.
 */
export function memberIds(base: string, members: readonly JsonObject[]): string[] {
  const slugs = new Map<Json, string>();
  const slugOf = (value: Json): string => {
    let slug = slugs.get(value);
    if (slug === undefined) slugs.set(value, (slug = valueSlug(value)));
    return slug;
  };
  const taken = new Set<string>();
  return members.map((member) => {
    const parts = Object.entries(member).flatMap(([name, value]) => [nameSlug(name), slugOf(value)]);
    const plain = [base, ...parts].join('-');
    let id = plain.length > MAX_ID ? hashedId(plain, member) : plain;
    if (taken.has(id)) id = hashedId(plain, member);
    for (let copy = 2; taken.has(id); copy += 1) id = hashedId(plain, [member, copy]);
    taken.add(id);
    return id;
  });
}

function hashedId(plain: string, hashed: Json): string {
  const end = `-${digest(hashed, MEMBER_DIGITS)}`;
  return trimmed(plain.slice(0, MAX_ID - end.length)) + end;
}

const nameSlug = (name: string): string => slugOf(name) || digest(name, VALUE_DIGITS);

/** A value as a part of an id: with a hash where another value would have the same part. */
function valueSlug(value: Json): string {
  const text =
    typeof value === 'string' ? value : typeof value === 'number' ? numberText(value) : canonical(value);
  const slug = slugOf(text);
  if (slug === text && slug.length <= MAX_VALUE && slug !== '') return slug;
  if (typeof value === 'number') return slug;
  const short = trimmed(slug.slice(0, MAX_VALUE - VALUE_DIGITS - 1));
  return [short, digest(value, VALUE_DIGITS)].filter((part) => part !== '').join('-');
}

/** Without a sign, which would look like what parts an id. */
function numberText(value: number): string {
  const text = String(value).replace('e+', 'e');
  return text.startsWith('-') ? `minus-${text.slice(1)}` : text;
}

/** Lower-case letters and digits with `-` for everything between them; a point only in a number or a version. */
const slugOf = (text: string): string =>
  trimmed(text.toLowerCase().replaceAll(/(?:(?<![0-9])\.|\.(?![0-9])|[^a-z0-9.])+/g, '-'));

const trimmed = (text: string): string => text.replaceAll(/^[-.]+|[-.]+$/g, '');

const digest = (value: Json, digits: number): string => hash('sha256', canonical(value)).slice(0, digits);
