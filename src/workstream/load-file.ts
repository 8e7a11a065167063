/** One file to workstreams, broken workstreams and problems. Never throws because of what is in the file. */
import { basename } from 'node:path';
import type { Json } from '../domain/json.ts';
import type { Broken, Problem } from '../domain/plan.ts';
import type { Source, Workstream } from '../domain/workstream.ts';
import { type Definition, type DefinitionContext, readDefinition } from './definition.ts';
import {
  fileProblem,
  invalidWorkstream,
  MAX_COUNTED,
  MAX_LISTED,
  mostImportant,
  problemAt,
} from './file-problems.ts';
import { errorAt, type Finding, warningAt } from './finding.ts';
import { describeValue, isObject } from './json-value.ts';
import { locate, placesOf } from './locate.ts';
import { parse } from './parse.ts';
import { readFile } from './read-file.ts';
import { type RepeatedKey, repeatedKeys, repeatedMessage } from './size-limits.ts';

/** Most definitions in one file. */
const MAX_DEFINITIONS = 200_000;

/** The members of a matrix, by which its id is resolved. */
export interface Base {
  id: string;
  members: string[];
  source: Source;
}

export interface LoadedFile {
  workstreams: Workstream[];
  /** Broken workstreams that have an id of their own. */
  broken: Broken[];
  /** Broken workstreams without one; theirs is made from the file's name and may be taken. */
  nameless: Broken[];
  bases: Base[];
  problems: Problem[];
  /** Number of files read: a folder is none. */
  files: number;
}

/** `path` is absolute, `file` is how messages show it. */
export function loadFile(path: string, file: string, surroundings: DefinitionContext): LoadedFile {
  const result: LoadedFile = { workstreams: [], broken: [], nameless: [], bases: [], problems: [], files: 1 };
  const content = readFile(path);
  if (content.kind === 'folder') {
    result.files = 0;
    result.problems.push(fileProblem(file, 'warning', 'it is a folder; only files are read'));
  } else if (content.kind === 'unusable') {
    const { message, at } = content;
    const [place = null] = at === null ? [] : placesOf(at.text, [at.offset]);
    failFile(result, file, [problemAt(file, place, errorAt([], message), null)]);
  } else {
    loadText(result, content.text, file, surroundings);
  }
  return result;
}

function loadText(result: LoadedFile, text: string, file: string, surroundings: DefinitionContext): void {
  const parsed = parse(text);
  if (!parsed.ok) {
    const places = placesOf(
      text,
      parsed.problems.map(({ offset }) => offset),
    );
    const problems = parsed.problems.map(({ message }, index) =>
      problemAt(file, places[index] ?? null, errorAt([], message), null),
    );
    failFile(result, file, problems);
    return;
  }
  const elements = elementsOf(parsed.value);
  if (Array.isArray(elements)) {
    const inArray = Array.isArray(parsed.value);
    loadElements(
      result,
      { elements, inArray, text, file, repeated: repeatedKeys(text, parsed) },
      surroundings,
    );
    return;
  }
  const [place = null] = locate(text, [{ path: [], at: 'value' }]);
  const problem = problemAt(file, place, elements, null);
  if (elements.severity === 'error') failFile(result, file, [problem]);
  else result.problems.push(problem);
}

/** The definitions in a file's value, or why there are none. */
function elementsOf(value: Json): Json[] | Finding {
  if (isObject(value)) return [value];
  if (!Array.isArray(value))
    return errorAt([], `expected a workstream or an array of them, found ${describeValue(value)}`);
  if (value.length > MAX_DEFINITIONS) {
    return errorAt(
      [],
      `it has ${value.length} workstreams, at most ${MAX_DEFINITIONS} go in a file; split it into several`,
    );
  }
  return value.length === 0 ? warningAt([], 'there is no workstream in it') : value;
}

/** The file as a whole is one broken workstream. */
function failFile(result: LoadedFile, file: string, problems: Problem[]): void {
  const id = stem(file);
  const named = problems.map((problem) => ({ ...problem, workstreamId: id }));
  result.problems.push(...named);
  result.nameless.push({
    id,
    title: id,
    source: { file, position: 0 },
    failure: invalidWorkstream(named, 0),
  });
}

const stem = (file: string): string => basename(file, '.json');

/** A definition with findings, kept until all of the file's places are looked up at once. */
interface Reported {
  definition: Definition;
  source: Source;
  findings: Finding[];
  omitted: number;
}

/** What a file holds. */
interface Content {
  elements: Json[];
  /** Whether they are elements of an array. */
  inArray: boolean;
  repeated: readonly RepeatedKey[];
  text: string;
  file: string;
}

function loadElements(result: LoadedFile, content: Content, surroundings: DefinitionContext): void {
  const { elements, inArray, text, file } = content;
  const reported: Reported[] = [];
  const repeated = repeatedByPosition(content);
  let count = 0;
  for (const [position, element] of elements.entries()) {
    const source = { file, position };
    const found = repeated.get(position) ?? [];
    const definition = readDefinition(element, source, surroundings, {
      thorough: count < MAX_COUNTED,
      found,
    });
    if (isBroken(definition)) addUnrunnable(result, definition);
    else result.workstreams.push(...definition.workstreams);
    const [first] = definition.workstreams;
    if (first !== undefined && first.matrix !== null)
      result.bases.push({ id: first.base, members: definition.workstreams.map(({ id }) => id), source });
    if (definition.findings.length === 0) continue;
    const { listed, omitted } = mostImportant(definition.findings, count < MAX_COUNTED ? MAX_LISTED : 1);
    count += listed.length;
    reported.push({ definition, source, findings: listed, omitted: omitted.length });
  }
  report(result, reported, inArray, text);
}

/** An error for each repeated key, by the position of the definition that it is in. */
function repeatedByPosition({ repeated, inArray, text }: Content): Map<number, Finding[]> {
  const places = placesOf(
    text,
    repeated.flatMap(({ offsets }) => offsets.slice(0, -1)),
  );
  const byPosition = new Map<number, Finding[]>();
  let next = 0;
  for (const { path, offsets } of repeated) {
    const others = places.slice(next, (next += offsets.length - 1));
    const position = inArray ? Number(path[0]) : 0;
    const message = repeatedMessage(others);
    const finding: Finding = { ...errorAt(inArray ? path.slice(1) : path, message), at: 'key' };
    byPosition.set(position, [...(byPosition.get(position) ?? []), finding]);
  }
  return byPosition;
}

const isBroken = ({ workstreams, failure }: Definition): boolean =>
  workstreams.length === 0 || failure !== null;

function addUnrunnable(result: LoadedFile, { workstreams, failure }: Definition): void {
  if (failure === null) return;
  for (const { id, title, source } of workstreams) result.broken.push({ id, title, source, failure });
}

function report(result: LoadedFile, reported: Reported[], inArray: boolean, text: string): void {
  const places = locate(
    text,
    reported.flatMap(({ source, findings }) =>
      findings.map(({ path, at }) => ({ path: inArray ? [source.position, ...path] : path, at })),
    ),
  );
  let next = 0;
  for (const { definition, source, findings, omitted } of reported) {
    const id = definition.id ?? `${stem(source.file)}${inArray ? `[${source.position}]` : ''}`;
    const problems = findings.map((finding) => problemAt(source.file, places[next++] ?? null, finding, id));
    for (const problem of problems) result.problems.push(problem);
    if (definition.workstreams.length > 0) continue;
    const broken: Broken = {
      id,
      title: definition.title ?? id,
      source,
      failure: invalidWorkstream(problems, omitted),
    };
    (definition.id === null ? result.nameless : result.broken).push(broken);
  }
}
