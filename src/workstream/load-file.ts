/** One file to workstreams, broken workstreams and problems. Never throws because of what is in the file. */
import { basename } from 'node:path';
import { isObject, type Json } from '../domain/json.ts';
import type { Broken, Problem } from '../domain/plan.ts';
import type { Source, Workstream } from '../domain/workstream.ts';
import { arrayParts, parsePart } from './array-parts.ts';
import { type Definition, type DefinitionContext, MAX_WORKSTREAMS, readDefinition } from './definition.ts';
import {
  fileProblem,
  invalidWorkstream,
  MAX_COUNTED,
  MAX_LISTED,
  mostImportant,
  problemAt,
} from './file-problems.ts';
import { errorAt, type Finding, warningAt } from './finding.ts';
import { describeValue } from './json-value.ts';
import { locate, placesOf } from './locate.ts';
import { parse } from './parse.ts';
import type { PlainReader } from './plain.ts';
import { decode, type FileText, readBytes } from './read-file.ts';
import { type RepeatedKey, repeatedKeys, repeatedMessage } from './size-limits.ts';

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

/** What reading a file needs to know of the rest. */
export interface FileContext extends DefinitionContext {
  plain: PlainReader;
  /** A file with more bytes is read in parts, where its form allows that. */
  wholeBytes: number;
}

/** `path` is absolute, `file` is how messages show it. */
export function loadFile(path: string, file: string, context: FileContext): LoadedFile {
  const content = readBytes(path);
  if (content.kind !== 'bytes') return loadContent(content, file, context);
  const { bytes } = content;
  const loaded = bytes.length > context.wholeBytes ? loadParts(bytes, file, context) : null;
  return loaded ?? loadContent(decode(bytes), file, context);
}

/** Null where the file has to be parsed as a whole. */
function loadParts(bytes: Buffer, file: string, context: FileContext): LoadedFile | null {
  const parts = arrayParts(bytes);
  if (parts === null || parts.reduce((sum, { count }) => sum + count, 0) > MAX_WORKSTREAMS) return null;
  const { count } = context;
  const before = count.workstreams;
  const definitions = new Definitions(file, true, context);
  for (const part of parts) {
    const elements = parsePart(bytes, part);
    if (elements === null) {
      count.workstreams = before;
      return null;
    }
    for (const element of elements) definitions.add(element);
  }
  if (definitions.haveFindings) {
    const content = decode(bytes);
    if (content.kind === 'text') definitions.report(content.text);
  }
  return definitions.result;
}

const nothing = (): LoadedFile => ({
  workstreams: [],
  broken: [],
  nameless: [],
  bases: [],
  problems: [],
  files: 1,
});

function loadContent(content: FileText, file: string, context: FileContext): LoadedFile {
  if (content.kind === 'text') return loadText(content.text, file, context);
  const result = nothing();
  if (content.kind === 'folder') {
    result.files = 0;
    result.problems.push(fileProblem(file, 'warning', 'it is a folder; only files are read'));
  } else {
    const { message, at } = content;
    const [place = null] = at === null ? [] : placesOf(at.text, [at.offset]);
    failFile(result, file, [problemAt(file, place, errorAt([], message), null)]);
  }
  return result;
}

function loadText(text: string, file: string, context: FileContext): LoadedFile {
  const result = nothing();
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
    return result;
  }
  const elements = elementsOf(parsed.value);
  if (Array.isArray(elements)) {
    const inArray = Array.isArray(parsed.value);
    const repeated = repeatedByPosition(repeatedKeys(text, parsed), inArray, text);
    const definitions = new Definitions(file, inArray, context);
    for (const [position, element] of elements.entries()) definitions.add(element, repeated.get(position));
    definitions.report(text);
    return definitions.result;
  }
  const [place = null] = locate(text, [{ path: [], at: 'value' }]);
  const problem = problemAt(file, place, elements, null);
  if (elements.severity === 'error') failFile(result, file, [problem]);
  else result.problems.push(problem);
  return result;
}

/** The definitions in a file's value, or why there are none. */
function elementsOf(value: Json): Json[] | Finding {
  if (isObject(value)) return [value];
  if (!Array.isArray(value))
    return errorAt([], `expected a workstream or an array of them, found ${describeValue(value)}`);
  if (value.length > MAX_WORKSTREAMS)
    return errorAt([], `it has ${value.length} workstreams; a folder has at most ${MAX_WORKSTREAMS}`);
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

const NO_FINDINGS: readonly Finding[] = [];

/** The definitions of a file, one after the other. */
class Definitions {
  readonly result = nothing();
  readonly #file: string;
  /** Whether they are elements of an array. */
  readonly #inArray: boolean;
  readonly #context: FileContext;
  readonly #reported: Reported[] = [];
  /** Number of findings that are reported. */
  #count = 0;
  #position = 0;

  constructor(file: string, inArray: boolean, context: FileContext) {
    this.#file = file;
    this.#inArray = inArray;
    this.#context = context;
  }

  get haveFindings(): boolean {
    return this.#reported.length > 0;
  }

  /** @param repeated the keys that it gives more than once. */
  add(element: Json, repeated = NO_FINDINGS): void {
    const position = this.#position++;
    const plain = repeated.length === 0 ? this.#context.plain.read(element, this.#file, position) : null;
    if (plain === null) this.#addAny(element, position, repeated);
    else this.result.workstreams.push(plain);
  }

  #addAny(element: Json, position: number, found: readonly Finding[]): void {
    const { result } = this;
    const source = { file: this.#file, position };
    const thorough = this.#count < MAX_COUNTED;
    const definition = readDefinition(element, source, this.#context, { thorough, found });
    if (isBroken(definition)) addUnrunnable(result, definition);
    else for (const workstream of definition.workstreams) result.workstreams.push(workstream);
    const [first] = definition.workstreams;
    if (first !== undefined && first.matrix !== null)
      result.bases.push({ id: first.base, members: definition.workstreams.map(({ id }) => id), source });
    if (definition.findings.length === 0) return;
    const { listed, omitted } = mostImportant(definition.findings, thorough ? MAX_LISTED : 1);
    this.#count += listed.length;
    this.#reported.push({ definition, source, findings: listed, omitted: omitted.length });
  }

  /** Adds the problems, with their places in the text of the file. */
  report(text: string): void {
    const inArray = this.#inArray;
    const places = locate(
      text,
      this.#reported.flatMap(({ source, findings }) =>
        findings.map(({ path, at }) => ({ path: inArray ? [source.position, ...path] : path, at })),
      ),
    );
    let next = 0;
    for (const { definition, source, findings, omitted } of this.#reported) {
      const id = definition.id ?? `${stem(source.file)}${inArray ? `[${source.position}]` : ''}`;
      const problems = findings.map((finding) => problemAt(source.file, places[next++] ?? null, finding, id));
      for (const problem of problems) this.result.problems.push(problem);
      if (definition.workstreams.length > 0) continue;
      const failure = invalidWorkstream(problems, omitted);
      const broken: Broken = { id, title: definition.title ?? id, source, failure };
      (definition.id === null ? this.result.nameless : this.result.broken).push(broken);
    }
  }
}

/** An error for each repeated key, by the position of the definition that it is in. */
function repeatedByPosition(
  repeated: readonly RepeatedKey[],
  inArray: boolean,
  text: string,
): Map<number, Finding[]> {
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
