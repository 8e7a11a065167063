/** Turns what zod found into sentences that say what was expected and what was found. */
import type { core, ZodObject } from 'zod';
import { isObject, type Json, type JsonObject } from '../domain/json.ts';
import {
  acceptanceSchemas,
  actionSchemas,
  dependencySchemas,
  gateSchemas,
  stepSchemas,
} from '../domain/workstream-file.ts';
import { plural } from '../text/format.ts';
import { errorAt, type Finding } from './finding.ts';
import { describeValue, valueAt } from './json-value.ts';
import type { JsonPath } from './locate.ts';

type Issue = core.$ZodIssue;

/** The findings of an issue of a definition. For a union, those of the form that was evidently meant. */
export function explainIssue(issue: Issue, definition: JsonObject): Finding[] {
  const path = issue.path.map((segment) => (typeof segment === 'number' ? segment : String(segment)));
  const value = valueAt(definition, path);
  if (issue.code === 'invalid_union') {
    const alternatives = path.length === 2 ? ALTERNATIVES.get(String(path[0])) : undefined;
    if (alternatives !== undefined) return explainUnion(issue, path, alternatives, definition);
  }
  if (issue.code === 'invalid_key') return [{ ...errorAt(path, keyMessage(issue)), at: 'key' }];
  const expected = expectation(issue);
  return [
    errorAt(
      path,
      value === undefined
        ? `is missing; expected ${expected}`
        : `expected ${expected}, found ${describeValue(value)}`,
    ),
  ];
}

function explainUnion(
  issue: core.$ZodIssueInvalidUnion,
  path: JsonPath,
  { text, objects }: Alternatives,
  definition: JsonObject,
): Finding[] {
  const value: Json | undefined = valueAt(definition, path);
  const names = Object.keys(objects);
  if (!isObject(value)) {
    const object = `an object with ${names.length === 1 ? '' : 'one of '}${names.join(', ')}`;
    return [errorAt(path, `expected ${text ? 'text or ' : ''}${object}, found ${describeValue(value)}`)];
  }
  const present = names.filter((name) => Object.hasOwn(value, name));
  const [meant, second] = present;
  if (meant === undefined) {
    return [
      errorAt(path, names.length === 1 ? `${names[0]} is missing` : `expected one of ${names.join(', ')}`),
    ];
  }
  if (second !== undefined) {
    return [errorAt(path, `expected only one of ${names.join(', ')}, found ${present.join(' and ')}`)];
  }
  const branch = names.indexOf(meant) + (text ? 1 : 0);
  return (issue.errors[branch] ?? []).flatMap((inner) =>
    explainIssue({ ...inner, path: [...path, ...inner.path] }, definition),
  );
}

const keyMessage = (issue: core.$ZodIssueInvalidKey): string =>
  `expected ${issue.issues[0]?.message ?? 'another name'}`;

const TYPES: Record<string, string> = {
  string: 'a string',
  number: 'a number',
  int: 'an integer',
  boolean: 'true or false',
  array: 'an array',
  tuple: 'an array',
  object: 'an object',
  record: 'an object',
};

/** The end of a sentence that begins with "expected". Messages of our own in the schemas are such ends already. */
function expectation(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return TYPES[issue.expected] ?? issue.expected;
    case 'invalid_value':
      return issue.values.map((value) => JSON.stringify(value)).join(' or ');
    case 'too_small':
      return issue.origin === 'array'
        ? `at least ${plural(Number(issue.minimum), 'element')}`
        : `${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}`;
    case 'too_big':
      return issue.origin === 'array'
        ? `at most ${plural(Number(issue.maximum), 'element')}`
        : `at most ${issue.maximum}`;
    case 'invalid_format':
    case 'invalid_union':
    case 'invalid_key':
    case 'invalid_element':
    case 'unrecognized_keys':
    case 'not_multiple_of':
    case 'custom':
      return issue.message;
  }
}

/** What the elements of a list may be. */
export interface Alternatives {
  /** Whether plain text is one. */
  text: boolean;
  /** The objects, by the key that distinguishes them. */
  objects: Record<string, ZodObject>;
}

/** The lists of a definition whose elements take more than one form, by field. */
export const ALTERNATIVES: ReadonlyMap<string, Alternatives> = new Map([
  ['steps', { text: false, objects: stepSchemas }],
  ['depends_on', { text: true, objects: dependencySchemas }],
  ['acceptance_tests', { text: true, objects: acceptanceSchemas }],
  ['compensation_actions', { text: true, objects: actionSchemas }],
  ['test_gates', { text: false, objects: gateSchemas }],
]);
