import { isObject, type Json, type JsonObject } from '../domain/json.ts';
import { variableName } from '../domain/workstream.ts';
import {
  isMatrixName,
  MATRIX_NAME,
  MAX_ELEMENTS,
  MAX_NAMES,
  PRIORITY_WORDS,
  type WorkstreamFile,
  workstreamFileSchema,
} from '../domain/workstream-file.ts';
import { nearest } from '../text/nearest.ts';
import { explainIssue } from './explain-issue.ts';
import { errorAt, type Finding, warningAt } from './finding.ts';
import { describeValue, fieldOf, quote } from './json-value.ts';
import type { JsonPath } from './locate.ts';
import {
  comparisons,
  isRule,
  type Matrix,
  matrixOf,
  membersOf,
  mostMembers,
  namesOf,
  references,
} from './matrix.ts';
import { priorityNumber } from './normalize.ts';
import { unknownFields } from './unknown-fields.ts';

/** A definition after every check. `definition` is null exactly when there is an error among the findings. */
export interface Checked {
  definition: WorkstreamFile | null;
  findings: Finding[];
}

/** How a definition is checked. */
export interface Looked {
  /** False where there are so many problems already that warnings about unknown fields would not help. */
  thorough: boolean;
  /** What only the text of the file shows, such as repeated keys. */
  found: readonly Finding[];
}

/** Every problem of one definition, at once. */
export function check(raw: JsonObject, { thorough, found }: Looked): Checked {
  const tooLong = oversized(raw);
  if (tooLong.length > 0) return { definition: null, findings: tooLong };
  const parsed = workstreamFileSchema.safeParse(raw);
  const findings = [
    ...(parsed.success ? [] : parsed.error.issues.flatMap((issue) => explainIssue(issue, raw))),
    ...checkRules(raw),
    ...checkMatrix(raw),
    ...found,
    ...unknownFields(raw).filter(({ severity }) => thorough || severity === 'error'),
  ];
  const sound = parsed.success && !findings.some(({ severity }) => severity === 'error');
  return { definition: sound ? parsed.data : null, findings };
}

// What must hold between the fields of a definition, and what a schema can't say.

/** Checks a definition of any shape. */
function checkRules(definition: JsonObject): Finding[] {
  return [
    ...checkWork(definition),
    ...checkStepIds(definition),
    ...checkPriority(definition),
    ...checkReservedNames(definition),
    ...checkOutputs(definition),
    ...checkCache(definition),
    ...checkContaining(definition),
    ...checkReview(definition),
  ];
}

/** There is something to execute, and it is given in one form. */
function checkWork(definition: JsonObject): Finding[] {
  const has = (name: string): boolean => Object.hasOwn(definition, name);
  if (has('steps')) {
    return ['tool', 'tasks']
      .filter(has)
      .map((name) => errorAt([name], 'steps are there too; write it as a tool step among them'));
  }
  if (has('tool'))
    return has('tasks') ? [] : [errorAt(['tool'], 'the tool has no tasks to do; expected tasks')];
  if (has('capability')) return [];
  return has('tasks')
    ? [errorAt(['tasks'], 'nothing does these tasks; expected a tool or a capability beside them')]
    : [errorAt([], 'there is nothing to execute; expected steps, a tool with tasks, or a capability')];
}

/** Ids are unique among the steps, those that were not written included. */
function checkStepIds(definition: JsonObject): Finding[] {
  const seen = new Set<string>();
  return stepsOf(definition).flatMap(([step, index]) => {
    const own = fieldOf(step, 'id');
    const id = typeof own === 'string' ? own : `step-${index + 1}`;
    if (seen.has(id)) {
      const path = typeof own === 'string' ? ['steps', index, 'id'] : ['steps', index];
      return [errorAt(path, `an earlier step has the id ${quote(id)} already`)];
    }
    seen.add(id);
    return [];
  });
}

/** Outputs are in the folder that the workstream works in. */
function checkOutputs(definition: JsonObject): Finding[] {
  const outputs = fieldOf(definition, 'outputs');
  if (!Array.isArray(outputs)) return [];
  return outputs.slice(0, MAX_ELEMENTS).flatMap((path, index) => {
    if (typeof path !== 'string') return [];
    const plain = path.replace(/^!/, '');
    const isOutside = plain.startsWith('/') || plain.split('/').includes('..');
    const message = `expected a path within the folder it works in, found ${quote(path)}`;
    return isOutside ? [errorAt(['outputs', index], message)] : [];
  });
}

function checkPriority(definition: JsonObject): Finding[] {
  const priority = fieldOf(definition, 'priority');
  if (typeof priority !== 'string' || priorityNumber(priority) !== null) return [];
  const words = Object.keys(PRIORITY_WORDS);
  const meant = nearest(priority, words);
  const hint =
    meant === null ? `known are ${words.join(', ')} and integers` : `did you mean ${quote(meant)}?`;
  return [warningAt(['priority'], `unknown word ${quote(priority)}, counts as "normal"; ${hint}`)];
}

/** What asks to be contained is. */
function checkContaining(definition: JsonObject): Finding[] {
  const isContained = Object.hasOwn(definition, 'sandbox') && fieldOf(definition, 'sandbox') !== 'none';
  return stepsOf(definition).flatMap(([step, index]) => {
    if (!Object.hasOwn(step, 'module')) return [];
    const path = ['steps', index];
    const own = ['sandbox', 'network'].filter((name) => Object.hasOwn(step, name));
    if (own.length === 0 && !isContained) return [];
    const message =
      'a module step runs in Millrace itself, where nothing contains it; expected a command step that runs it with node, or a sandbox at the other steps only';
    return [errorAt(path, message)];
  });
}

/** What is reviewed is a commit. */
function checkReview(definition: JsonObject): Finding[] {
  if (!Object.hasOwn(definition, 'review') || fieldOf(definition, 'workspace') !== 'shared') return [];
  const message =
    'a reviewer looks at a copy of the change, which work in the shared folder has none of; expected "workspace": "worktree"';
  return [errorAt(['review'], message)];
}

/** What is taken over is put into the shared folder: commits of a worktree, and their merge, would be missing. */
function checkCache(definition: JsonObject): Finding[] {
  if (!Object.hasOwn(definition, 'cache') || fieldOf(definition, 'cache') === false) return [];
  const workspace = fieldOf(definition, 'workspace');
  if (workspace === 'worktree')
    return [errorAt(['cache'], 'a worktree\'s commits can\'t be taken over; expected "workspace": "shared"')];
  const usesTool =
    Object.hasOwn(definition, 'tool') ||
    Object.hasOwn(definition, 'capability') ||
    stepsOf(definition).some(([step]) => Object.hasOwn(step, 'tool'));
  if (!usesTool || workspace === 'shared') return [];
  const message =
    'the work of a tool step is in a worktree of its own, and its commits can\'t be taken over; expected "workspace": "shared" beside it';
  return [errorAt(['cache'], message)];
}

/** The lists whose elements may have an `env`. */
const WITH_ENV = ['steps', 'acceptance_tests'];

/** `__proto__` is the one name that zod drops silently. */
function checkReservedNames(definition: JsonObject): Finding[] {
  const records: [Json | undefined, JsonPath][] = [
    [fieldOf(definition, 'matrix'), ['matrix']],
    ...WITH_ENV.flatMap((list) =>
      elementsOf(definition, list).map(([element, index]): [Json | undefined, JsonPath] => [
        fieldOf(element, 'env'),
        [list, index, 'env'],
      ]),
    ),
  ];
  return records
    .filter(([record]) => isObject(record) && Object.hasOwn(record, '__proto__'))
    .map(([, path]) => ({
      ...errorAt([...path, '__proto__'], 'this name is reserved; expected another'),
      at: 'key',
    }));
}

/** Lists and records so long that checking each of their elements would cost more than it is worth. */
function oversized(definition: JsonObject): Finding[] {
  const owners: [JsonObject, JsonPath][] = [[definition, []]];
  for (const name of WITH_ENV) {
    const list = fieldOf(definition, name);
    if (!Array.isArray(list) || list.length > MAX_ELEMENTS) continue;
    for (const [element, index] of elementsOf(definition, name)) owners.push([element, [name, index]]);
  }
  return owners.flatMap(([owner, path]) =>
    Object.keys(owner)
      .filter((name) => name !== 'input' && isTooLong(owner[name], name))
      .map((name) => errorAt([...path, name], tooLong(name))),
  );
}

/** The records whose names are checked. */
const RECORDS = ['env', 'matrix'];

function isTooLong(value: Json | undefined, name: string): boolean {
  if (Array.isArray(value)) return value.length > MAX_ELEMENTS;
  return RECORDS.includes(name) && isObject(value) && Object.keys(value).length > MAX_NAMES;
}

const tooLong = (name: string): string =>
  RECORDS.includes(name)
    ? `expected at most ${MAX_NAMES} names`
    : `expected at most ${MAX_ELEMENTS} elements`;

/** The steps that are objects, with their indices. */
const stepsOf = (definition: JsonObject): [JsonObject, number][] => elementsOf(definition, 'steps');

/** The elements of a list that are objects, with their indices. */
function elementsOf(definition: JsonObject, name: string): [JsonObject, number][] {
  const list = fieldOf(definition, name);
  if (!Array.isArray(list)) return [];
  const found: [JsonObject, number][] = [];
  for (const [index, element] of list.entries()) if (isObject(element)) found.push([element, index]);
  return found;
}

// What must hold of a matrix and of the references to its values.

/** Most workstreams that one definition becomes. */
const MAX_MEMBERS = 10_000;

/** Most references that are reported for one definition. */
const MAX_FINDINGS = 20;

/** The fields of a definition in which references to the matrix are replaced, beside the steps' `input`. */
const REPLACED = ['title', 'description', 'outputs'];

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
function checkMatrix(definition: JsonObject): Finding[] {
  if (!Object.hasOwn(definition, 'matrix')) {
    return findReferences(replacedIn(definition), ({ path, name }) =>
      warningAt(path, `there is no matrix, so the reference to matrix.${name} stays as it is`),
    );
  }
  const matrix = fieldOf(definition, 'matrix');
  if (!isObject(matrix)) return [];
  const found = checkForm(matrix);
  const read = found.length === 0 ? matrixOf(matrix) : null;
  if (read === null) return found;
  const names = namesOf(read);
  return [
    ...checkSize(read),
    ...checkVariables(matrix),
    ...findReferences(replacedIn(definition), ({ path, name }) =>
      names.includes(name) ? null : errorAt(path, unknownReference(name, names)),
    ),
    ...findReferences(literalIn(definition), ({ path, name }) => errorAt(path, notReplaced(path, name))),
  ];
}

/** The elements of `include` and `exclude` are objects with names of values; those of `exclude` are names of lists. */
function checkForm(matrix: JsonObject): Finding[] {
  const lists = Object.keys(matrix).filter((name) => !isRule(name));
  return Object.entries(matrix)
    .filter(([name]) => isRule(name))
    .flatMap(([rule, elements]) =>
      (Array.isArray(elements) ? elements : []).flatMap((element, index): Finding[] => {
        const path = ['matrix', rule, index];
        if (!isObject(element))
          return [errorAt(path, `expected an object of values by name, found ${describeValue(element)}`)];
        const names = Object.keys(element);
        if (names.length === 0) return [errorAt(path, 'expected at least one name with its value')];
        return names.flatMap((name) => {
          const message = rule === 'exclude' ? notExcludable(name, lists) : badName(name);
          return message === null ? [] : [{ ...errorAt([...path, name], message), at: 'key' as const }];
        });
      }),
    )
    .slice(0, MAX_FINDINGS);
}

const badName = (name: string): string | null =>
  isMatrixName(name) && !isRule(name) ? null : `expected ${MATRIX_NAME}`;

function notExcludable(name: string, lists: string[]): string | null {
  if (lists.includes(name)) return null;
  const meant = nearest(name, lists);
  const hint =
    meant === null
      ? `the matrix has lists of ${lists.join(', ') || 'nothing'}`
      : `did you mean ${quote(meant)}?`;
  return `nothing can be excluded by ${quote(name)}, which is no list of the matrix; ${hint}`;
}

/** Most comparisons of a combination with an element of `include` or `exclude`. */
const MAX_COMPARISONS = 10_000_000;

function checkSize(matrix: Matrix): Finding[] {
  const count = mostMembers(matrix);
  if (count > MAX_MEMBERS)
    return [errorAt(['matrix'], `it makes ${count} workstreams; expected at most ${MAX_MEMBERS}`)];
  if (comparisons(matrix) > MAX_COMPARISONS) {
    const message = `its combinations times the elements of include and exclude are ${comparisons(matrix)}; expected at most ${MAX_COMPARISONS}`;
    return [errorAt(['matrix'], message)];
  }
  const isEmpty = count > 0 && membersOf(matrix).length === 0;
  return isEmpty ? [errorAt(['matrix'], 'exclude leaves nothing of it')] : [];
}

/** Each name has an environment variable of its own, and each value can be in one. */
function checkVariables(matrix: JsonObject): Finding[] {
  const owners = new Map<string, string>();
  return valuesIn(matrix)
    .flatMap(({ name, value, path }): Finding[] => {
      const variable = variableName(name);
      const owner = owners.get(variable) ?? name;
      owners.set(variable, owner);
      if (owner !== name) {
        const message = `${quote(owner)} and ${quote(name)} would both be in the environment variable ${variable}`;
        return [
          { ...errorAt(path.slice(0, typeof path.at(-1) === 'number' ? -1 : undefined), message), at: 'key' },
        ];
      }
      const isBad = typeof value === 'string' && value.includes('\0');
      return isBad ? [errorAt(path, 'expected text without NUL characters')] : [];
    })
    .slice(0, MAX_FINDINGS);
}

/** Every value that a member may have, with its place. */
function valuesIn(matrix: JsonObject): { name: string; value: Json; path: JsonPath }[] {
  return Object.entries(matrix).flatMap(([field, list]) => {
    if (!Array.isArray(list) || field === 'exclude') return [];
    if (field !== 'include')
      return list.map((value, index) => ({ name: field, value, path: ['matrix', field, index] }));
    return list.flatMap((element, index) =>
      Object.entries(isObject(element) ? element : {}).map(([name, value]) => ({
        name,
        value,
        path: ['matrix', field, index, name],
      })),
    );
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
    : 'matrix values are only put into title, description, outputs, the inputs of cache and the input of a step';
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
  const cache = fieldOf(definition, 'cache');
  if (isObject(cache)) yield [fieldOf(cache, 'inputs'), ['cache', 'inputs']];
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
