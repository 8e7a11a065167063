import type { Source } from '../domain/workstream.ts';
import { type JsonPath, locate } from './locate.ts';
import { parse } from './parse.ts';
import type { Place } from './place.ts';
import { readFile } from './read-file.ts';

/** A field of a definition that was loaded earlier. */
export interface PastTarget {
  source: Source;
  path: JsonPath;
}

/**
 * Places of fields in files that are no longer in memory, in the order of the targets. Each file is read once more;
 * null where that is no longer possible. `pathOf` gives the absolute path for a file as messages show it.
 */
export function placesAgain(
  targets: readonly PastTarget[],
  pathOf: (file: string) => string,
): (Place | null)[] {
  const byFile = new Map<string, number[]>();
  for (const [index, { source }] of targets.entries()) {
    const indices = byFile.get(source.file);
    if (indices === undefined) byFile.set(source.file, [index]);
    else indices.push(index);
  }
  const places: (Place | null)[] = targets.map(() => null);
  for (const [file, indices] of byFile) {
    const content = readFile(pathOf(file));
    const parsed = content.kind === 'text' ? parse(content.text) : null;
    if (content.kind !== 'text' || parsed === null || !parsed.ok) continue;
    const inArray = Array.isArray(parsed.value);
    const paths = indices.map((index): JsonPath => {
      const { source, path } = targets[index] ?? { source: { position: 0 }, path: [] };
      return inArray ? [source.position, ...path] : path;
    });
    const found = locate(
      content.text,
      paths.map((path) => ({ path, at: 'value' })),
    );
    for (const [at, index] of indices.entries()) places[index] = found[at] ?? null;
  }
  return places;
}
