import { isObject, type Json } from '../domain/json.ts';
import type { Source } from '../domain/workstream.ts';
import { arrayParts, parsePart, WHOLE_BYTES } from './array-parts.ts';
import { fieldOf, valueAt } from './json-value.ts';
import { type JsonPath, locate, type Place } from './locate.ts';
import { parse } from './parse.ts';
import { decode, readBytes } from './read-file.ts';

/** A field of a definition that was loaded earlier. */
export interface RelocationTarget {
  source: Source;
  path: JsonPath;
  /** The dependency, where the path leads to a list of them. Default: the whole list. */
  dependency?: string;
}

/** The place, and the path of the value there within the definition. */
export type RelocatedPlace = Place & { path: JsonPath };

/**
 * Places of fields in files that are no longer in memory, in the order of the targets. Each file is read once more;
 * null where that is no longer possible. `pathOf` returns the absolute path of a file as messages show it.
 */
export function relocatePaths(
  targets: readonly RelocationTarget[],
  pathOf: (file: string) => string,
  wholeBytes = WHOLE_BYTES,
): (RelocatedPlace | null)[] {
  const byFile = new Map<string, number[]>();
  for (const [index, { source }] of targets.entries()) {
    const indices = byFile.get(source.file);
    if (indices === undefined) byFile.set(source.file, [index]);
    else indices.push(index);
  }
  const places: (RelocatedPlace | null)[] = targets.map(() => null);
  for (const [file, indices] of byFile) {
    const content = readBytes(pathOf(file));
    if (content.kind !== 'bytes') continue;
    const inFile = indices.flatMap((index) => targets[index] ?? []);
    const found = relocateInFile(content.bytes, inFile, wholeBytes);
    for (const [at, index] of indices.entries()) places[index] = found[at] ?? null;
  }
  return places;
}

/** Empty where the file can no longer be read as definitions. */
function relocateInFile(
  bytes: Buffer,
  targets: readonly RelocationTarget[],
  wholeBytes: number,
): RelocatedPlace[] {
  const positions = new Set(targets.map(({ source }) => source.position));
  const definitions = definitionsAt(bytes, positions, wholeBytes);
  const content = decode(bytes);
  if (definitions === null || content.kind !== 'text') return [];
  const paths = targets.map((target) => {
    const definition = definitions.at(target.source.position);
    return withElement(definition === undefined ? definition : valueAt(definition, target.path), target);
  });
  const places = locate(
    content.text,
    targets.map(({ source }, index) => ({
      path: [...(definitions.inArray ? [source.position] : []), ...(paths[index] ?? [])],
      at: 'value',
    })),
  );
  return places.map((place, index) => ({ ...place, path: paths[index] ?? [] }));
}

interface DefinitionsAt {
  /** Whether they are elements of an array. */
  inArray: boolean;
  at: (position: number) => Json | undefined;
}

/** The definitions at these positions of a file, read in parts as when it was loaded; null where there are none. */
function definitionsAt(
  bytes: Buffer,
  positions: ReadonlySet<number>,
  wholeBytes: number,
): DefinitionsAt | null {
  const parts = bytes.length > wholeBytes ? arrayParts(bytes) : null;
  if (parts === null) {
    const content = decode(bytes);
    const parsed = content.kind === 'text' ? parse(content.text) : null;
    if (parsed === null || !parsed.ok) return null;
    const { value } = parsed;
    return Array.isArray(value)
      ? { inArray: true, at: (position) => value[position] }
      : { inArray: false, at: () => value };
  }
  const found = new Map<number, Json>();
  const wanted = [...positions].toSorted((a, b) => b - a);
  let first = 0;
  for (const part of parts) {
    const end = first + part.count;
    let elements: Json[] | null = null;
    for (let next = wanted.at(-1); next !== undefined && next < end; next = wanted.at(-1)) {
      elements ??= parsePart(bytes, part) ?? [];
      found.set(next, elements[next - first] ?? null);
      wanted.pop();
    }
    first = end;
  }
  return { inArray: true, at: (position) => found.get(position) };
}

/** The path of the element that names the dependency, itself or as the matrix that it is a member of. */
function withElement(
  list: Json | undefined,
  { path, dependency }: Pick<RelocationTarget, 'path' | 'dependency'>,
): JsonPath {
  if (dependency === undefined || !Array.isArray(list)) return path;
  const ids = list.map((element) => (isObject(element) ? fieldOf(element, 'id') : element));
  const exact = ids.indexOf(dependency);
  const index =
    exact === -1 ? ids.findIndex((id) => typeof id === 'string' && dependency.startsWith(`${id}-`)) : exact;
  return index === -1 ? path : [...path, index];
}
