/** Expands one definition into many: every combination of the matrix's values, as GitHub's matrices do. */
import { isObject, type Json, type JsonObject } from '../domain/json.ts';
import { fieldOf } from './json-value.ts';

/** A reference such as `${{ matrix.seed }}`; the group is the name. */
const REFERENCE = /\$\{\{\s*matrix\.([^{}]*)\}\}/g;

/** The fields of a matrix that are lists of objects, beside its lists of values. */
const RULES = ['include', 'exclude'] as const;

/** A matrix as it is written: its lists of values by name, and `include` and `exclude`. */
export interface Matrix {
  values: Record<string, Json[]>;
  include: JsonObject[];
  exclude: JsonObject[];
}

/** One of the workstreams that a matrix makes. */
export interface MatrixMember {
  /** All that it has. */
  values: JsonObject;
  /** Those of them that tell it apart: of a combination what the matrix's lists give, and nothing that was added. */
  own: JsonObject;
}

/** Null where a field has not the form that it should have. */
export function matrixOf(written: JsonObject): Matrix | null {
  const lists: [string, Json[]][] = [];
  for (const [name, list] of Object.entries(written)) {
    if (!Array.isArray(list)) return null;
    lists.push([name, list]);
  }
  const rules = (name: (typeof RULES)[number]): Json[] => lists.find(([other]) => other === name)?.[1] ?? [];
  const [include, exclude] = [rules('include'), rules('exclude')];
  if (!include.every(isObject) || !exclude.every(isObject)) return null;
  return { values: Object.fromEntries(lists.filter(([name]) => !isRule(name))), include, exclude };
}

/** Whether a field of a matrix is no list of values. */
export const isRule = (name: string): boolean => RULES.some((rule) => rule === name);

/** Names of the values that members may have, in the order in which they are first written. */
export function namesOf({ values, include }: Matrix): string[] {
  return [...new Set([...Object.keys(values), ...include.flatMap((rule) => Object.keys(rule))])];
}

/** Most members that the matrix can have: before anything is excluded, and with all that is included. */
export function mostMembers({ values, include }: Matrix): number {
  return productSize(values) + include.length;
}

/** How often a combination is compared with an element of `include` or `exclude`. */
export function comparisons({ values, include, exclude }: Matrix): number {
  return productSize(values) * (include.length + exclude.length);
}

const productSize = (values: Matrix['values']): number => {
  const lists = Object.values(values);
  return lists.length === 0 ? 0 : lists.reduce((product, { length }) => product * length, 1);
};

/**
 * The members: first the combinations of the values, the last name changing fastest, without those that match an element
 * of `exclude`. Each of these has what elements of `include` that match it add to it, of two with the same name the later
 * one. An element of `include` that matches none is a member of its own. The algorithm is that of GitHub's runner
 * (MatrixBuilder): only names of the matrix's own lists are compared, and only those that an element gives.
 */
export function membersOf(matrix: Matrix): MatrixMember[] {
  const { values, exclude } = matrix;
  const include = matrix.include.map((rule) => ({ rule, isMatched: false }));
  const members: MatrixMember[] = [];
  for (const combination of combinations(values)) {
    if (exclude.some((rule) => matches(combination, rule, values))) continue;
    const added: [string, Json][] = [];
    for (const each of include) {
      if (!matches(combination, each.rule, values)) continue;
      each.isMatched = true;
      added.push(...Object.entries(each.rule).filter(([name]) => !Object.hasOwn(values, name)));
    }
    members.push({ values: { ...combination, ...Object.fromEntries(added) }, own: combination });
  }
  const alone = include.filter(({ isMatched }) => !isMatched);
  return [...members, ...alone.map(({ rule }): MatrixMember => ({ values: rule, own: rule }))];
}

function combinations(values: Matrix['values']): JsonObject[] {
  const lists = Object.entries(values);
  if (lists.length === 0) return [];
  let members: [string, Json][][] = [[]];
  for (const [name, list] of lists) {
    members = members.flatMap((member) => list.map((value): [string, Json][] => [...member, [name, value]]));
  }
  return members.map((member) => Object.fromEntries(member));
}

/** Whether a combination has all values that a rule gives for names of the matrix's lists. */
function matches(combination: JsonObject, rule: JsonObject, values: Matrix['values']): boolean {
  for (const name of Object.keys(rule)) {
    if (!Object.hasOwn(values, name)) continue;
    if (!hasLeaves(combination[name] ?? null, rule[name] ?? null)) return false;
  }
  return true;
}

/** Whether a value has every scalar of another one in its place; what it has beside them does not count. */
function hasLeaves(value: Json, wanted: Json): boolean {
  if (Array.isArray(wanted)) {
    return wanted.every((item, index) =>
      hasLeaves(Array.isArray(value) ? (value[index] ?? null) : null, item),
    );
  }
  if (!isObject(wanted)) return isLooselyEqual(value, wanted);
  return Object.entries(wanted).every(([name, item]) =>
    hasLeaves(isObject(value) ? (fieldOf(value, name) ?? null) : null, item),
  );
}

/** `==` of GitHub's expressions: text without regard to case, and values of two types as numbers. */
function isLooselyEqual(value: Json, scalar: string | number | boolean | null): boolean {
  if (typeof value === 'string' && typeof scalar === 'string')
    return value.toUpperCase() === scalar.toUpperCase();
  return value === scalar || asNumber(value) === asNumber(scalar);
}

function asNumber(value: Json): number {
  if (typeof value === 'object' && value !== null) return Number.NaN;
  return Number(value);
}

/** Names of the matrix values that the text refers to. */
export function references(text: string): string[] {
  return text.includes('${{') ? [...text.matchAll(REFERENCE)].map((match) => (match[1] ?? '').trim()) : [];
}

/**
 * The value with its references replaced. A text that is one reference becomes the member's value, of whatever type, and
 * null where this member has none; references inside a text become text, empty where it has none. What has no reference is
 * returned as it is, not copied.
 */
export function substitute(value: Json, member: JsonObject): Json {
  if (typeof value === 'string') return substituteText(value, member);
  if (Array.isArray(value)) {
    const items = value.map((item) => substitute(item, member));
    return items.some((item, index) => item !== value[index]) ? items : value;
  }
  if (!isObject(value)) return value;
  const entries = Object.entries(value).map(([name, item]): [string, Json] => [
    name,
    substitute(item, member),
  ]);
  return entries.some(([name, item]) => item !== value[name]) ? Object.fromEntries(entries) : value;
}

/** `substitute` for a text that stays a text. */
export function substituteInText(text: string, member: JsonObject): string {
  return textOf(substituteText(text, member));
}

/** `substitute` in a path or glob, in which characters of the values have no meaning. */
export function substituteInGlob(glob: string, member: JsonObject): string {
  return glob.replaceAll(REFERENCE, (_reference, name: string) =>
    asText(fieldOf(member, name.trim())).replaceAll(/[\\*?[\]{}()!+@|]/g, String.raw`\$&`),
  );
}

function substituteText(text: string, member: JsonObject): Json {
  if (!text.includes('${{')) return text;
  const [only] = text.matchAll(REFERENCE);
  if (only !== undefined && only[0] === text) return fieldOf(member, (only[1] ?? '').trim()) ?? null;
  return text.replaceAll(REFERENCE, (_reference, name: string) => asText(fieldOf(member, name.trim())));
}

const asText = (value: Json | undefined): string => (value === undefined ? '' : textOf(value));

const textOf = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value));
