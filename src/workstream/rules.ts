/** What must hold between the fields of a definition, and what a schema can't say. */
import type { Json, JsonObject } from '../domain/json.ts';
import { MAX_ELEMENTS, MAX_NAMES, PRIORITY_WORDS } from '../domain/workstream-file.ts';
import { nearest } from '../support/nearest.ts';
import { quote } from './describe-value.ts';
import { errorAt, type Finding, warningAt } from './finding.ts';
import { fieldOf, isObject } from './json-value.ts';
import type { JsonPath } from './locate.ts';
import { priorityNumber } from './priority.ts';

/** Checks a definition of any shape. */
export function checkRules(definition: JsonObject): Finding[] {
  return [
    ...checkWork(definition),
    ...checkStepIds(definition),
    ...checkPriority(definition),
    ...checkReservedNames(definition),
  ];
}

/** There is something to execute, and said in one way. */
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

function checkPriority(definition: JsonObject): Finding[] {
  const priority = fieldOf(definition, 'priority');
  if (typeof priority !== 'string' || priorityNumber(priority) !== null) return [];
  const words = Object.keys(PRIORITY_WORDS);
  const meant = nearest(priority, words);
  const hint =
    meant === null ? `known are ${words.join(', ')} and integers` : `did you mean ${quote(meant)}?`;
  return [warningAt(['priority'], `unknown word ${quote(priority)}, counts as "normal"; ${hint}`)];
}

/** The lists whose elements may have an `env`. */
const WITH_ENV = ['steps', 'acceptance_tests'];

/** `__proto__` is the one name that zod leaves out without a word. */
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
export function oversized(definition: JsonObject): Finding[] {
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
export const stepsOf = (definition: JsonObject): [JsonObject, number][] => elementsOf(definition, 'steps');

/** The elements of a list that are objects, with their indices. */
function elementsOf(definition: JsonObject, name: string): [JsonObject, number][] {
  const list = fieldOf(definition, name);
  if (!Array.isArray(list)) return [];
  const found: [JsonObject, number][] = [];
  for (const [index, element] of list.entries()) if (isObject(element)) found.push([element, index]);
  return found;
}
