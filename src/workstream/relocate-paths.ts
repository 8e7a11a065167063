import type { Json } from '../domain/json.ts';
import type { Source } from '../domain/workstream.ts';
import { fieldOf, isObject, valueAt } from './json-value.ts';
import { type JsonPath, locate, type Place } from './locate.ts';
import { parse } from './parse.ts';
import { readFile } from './read-file.ts';

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
): (RelocatedPlace | null)[] {
  const byFile = new Map<string, number[]>();
  for (const [index, { source }] of targets.entries()) {
    const indices = byFile.get(source.file);
    if (indices === undefined) byFile.set(source.file, [index]);
    else indices.push(index);
  }
  const places: (RelocatedPlace | null)[] = targets.map(() => null);
  for (const [file, indices] of byFile) {
    const content = readFile(pathOf(file));
    const parsed = content.kind === 'text' ? parse(content.text) : null;
    if (content.kind !== 'text' || parsed === null || !parsed.ok) continue;
    const { value } = parsed;
    const paths = indices.map((index): { before: JsonPath; path: JsonPath } => {
      const target = targets[index] ?? { source: { position: 0 }, path: [] };
      const before = Array.isArray(value) ? [target.source.position] : [];
      return { before, path: withElement(valueAt(value, [...before, ...target.path]), target) };
    });
    const found = locate(
      content.text,
      paths.map(({ before, path }) => ({ path: [...before, ...path], at: 'value' })),
    );
    for (const [at, index] of indices.entries()) {
      const place = found[at];
      if (place !== undefined) places[index] = { ...place, path: paths[at]?.path ?? [] };
    }
  }
  return places;
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
