/** What must hold of a matrix and of the references to its values. */
import type { Json, JsonObject } from '../domain/json.ts';
import { nearest } from '../support/nearest.ts';
import { quote } from './describe-value.ts';
import { errorAt, type Finding, warningAt } from './finding.ts';
import { fieldOf, isObject } from './json-value.ts';
import type { JsonPath } from './locate.ts';
import { variableName } from '../domain/matrix-variables.ts';
import { type Matrix, memberCount, references } from './matrix.ts';
import { stepsOf } from './rules.ts';

/** Most workstreams that one definition becomes. */
const MAX_MEMBERS = 10_000;

/** Most references that are reported for one definition. */
const MAX_FINDINGS = 20;

/** The fields of a definition in which references to the matrix are replaced, beside the steps' `input`. */
const REPLACED = ['title', 'description'];

/** The fields of a definition that do something, in which a reference would be a mistake. */
const TAKEN_LITERALLY = [
  'id',
  'kind',
  'depends_on',
  'tool',
  'tasks',
  'files_scope',
  'files_create',
  'conflict_group',
  'acceptance_tests',
  'compensation_actions',
];

/** Checks the matrix of a definition of any shape, and every reference to it. */
export function checkMatrix(definition: JsonObject): Finding[] {
  if (!Object.hasOwn(definition, 'matrix')) {
    return findReferences(replacedIn(definition), ({ path, name }) =>
      warningAt(path, `there is no matrix, so the reference to matrix.${name} stays as it is`),
    );
  }
  const matrix = fieldOf(definition, 'matrix');
  if (!isObject(matrix)) return [];
  const names = Object.keys(matrix);
  return [
    ...checkSize(matrix),
    ...checkVariables(matrix),
    ...findReferences(replacedIn(definition), ({ path, name }) =>
      names.includes(name) ? null : errorAt(path, unknownReference(name, names)),
    ),
    ...findReferences(literalIn(definition), ({ path, name }) => errorAt(path, notReplaced(path, name))),
  ];
}

function checkSize(matrix: JsonObject): Finding[] {
  if (!isMatrix(matrix)) return [];
  const count = memberCount(matrix);
  return count > MAX_MEMBERS
    ? [errorAt(['matrix'], `it makes ${count} workstreams; expected at most ${MAX_MEMBERS}`)]
    : [];
}

const isMatrix = (matrix: JsonObject): matrix is Matrix =>
  Object.values(matrix).every((list) => Array.isArray(list));

/** Each name has an environment variable of its own, and what is in it can be in one. */
function checkVariables(matrix: JsonObject): Finding[] {
  const owners = new Map<string, string>();
  return Object.entries(matrix).flatMap(([name, values]): Finding[] => {
    const variable = variableName(name);
    const owner = owners.get(variable);
    owners.set(variable, name);
    if (owner !== undefined) {
      const message = `${quote(owner)} and ${quote(name)} would both be in the environment variable ${variable}`;
      return [{ ...errorAt(['matrix', name], message), at: 'key' }];
    }
    const bad = Array.isArray(values)
      ? values.findIndex((value) => typeof value === 'string' && value.includes('\0'))
      : -1;
    return bad === -1 ? [] : [errorAt(['matrix', name, bad], 'expected text without NUL characters')];
  });
}

function unknownReference(name: string, names: string[]): string {
  const meant = nearest(name, names);
  const hint = meant === null ? `it has ${names.join(', ') || 'none'}` : `did you mean matrix.${meant}?`;
  return `the matrix has no ${quote(name)}; ${hint}`;
}

function notReplaced(path: JsonPath, name: string): string {
  const [field, , inStep] = path;
  const inCommand =
    field === 'tasks' ||
    field === 'acceptance_tests' ||
    (field === 'steps' && inStep !== 'module' && inStep !== 'id');
  return inCommand
    ? `matrix values are never put into commands; use the environment variable $${variableName(name)}`
    : 'matrix values are only put into title, description and the input of a step';
}

interface Reference {
  path: JsonPath;
  name: string;
}

function findReferences(
  values: Iterable<[Json | undefined, JsonPath]>,
  judge: (reference: Reference) => Finding | null,
): Finding[] {
  const findings: Finding[] = [];
  for (const [value, path] of values) {
    for (const reference of referencesIn(value, [...path])) {
      const finding = judge(reference);
      if (finding !== null) findings.push(finding);
      if (findings.length === MAX_FINDINGS) return findings;
    }
  }
  return findings;
}

/** `path` is where `value` is; it is changed while walking and restored. */
function* referencesIn(value: Json | undefined, path: (string | number)[]): Generator<Reference> {
  if (typeof value === 'string') {
    for (const name of references(value)) yield { path: [...path], name };
  } else if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      if (mayRefer(value[index])) yield* referencesAt(value[index], index, path);
    }
  } else if (isObject(value)) {
    for (const name of Object.keys(value)) {
      if (mayRefer(value[name])) yield* referencesAt(value[name], name, path);
    }
  }
}

function* referencesAt(
  value: Json | undefined,
  segment: string | number,
  path: (string | number)[],
): Generator<Reference> {
  path.push(segment);
  yield* referencesIn(value, path);
  path.pop();
}

const mayRefer = (value: Json | undefined): boolean =>
  typeof value === 'string' ? value.includes('${{') : typeof value === 'object';

function* replacedIn(definition: JsonObject): Generator<[Json | undefined, JsonPath]> {
  for (const name of REPLACED) yield [fieldOf(definition, name), [name]];
  for (const [step, index] of stepsOf(definition)) yield [fieldOf(step, 'input'), ['steps', index, 'input']];
}

function* literalIn(definition: JsonObject): Generator<[Json | undefined, JsonPath]> {
  for (const name of TAKEN_LITERALLY) yield [fieldOf(definition, name), [name]];
  for (const [step, index] of stepsOf(definition)) {
    for (const [name, value] of Object.entries(step)) {
      if (name !== 'input') yield [value, ['steps', index, name]];
    }
  }
}
