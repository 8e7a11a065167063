/** What differs within a pattern: the values in its holes, and the places where its errors came from. */
import type { ErrorPattern } from '../../domain/history/pattern.ts';
import { firstOf } from '../../text/cut-text.ts';
import { HOLE } from './shape.ts';

/** Values of one hole, and places, that are shown. */
const SHOWN = 10;
/** Characters of a value. */
const VALUE = 100;

/**
 * What stands in the holes of a template, over these texts. A text whose words differ from the template in more than its
 * holes does not count. A hole that always has the same value is left out.
 * @param texts lines as `essenceOfError` makes them.
 */
export function valuesOf(template: string, texts: readonly string[]): ErrorPattern['values'] {
  const literals = template.split(HOLE);
  const holes = literals.slice(1).map(() => new Map<string, number>());
  for (const text of texts) {
    for (const [hole, value] of valuesIn(literals, text).entries()) count(holes[hole], value);
  }
  return holes.flatMap((values, hole) =>
    values.size < 2 ? [] : [{ hole, distinct: values.size, shown: mostFrequent(values) }],
  );
}

/** One value for each hole; none where the text does not fit. */
function valuesIn(literals: readonly string[], text: string): string[] {
  const [first = '', ...rest] = literals;
  if (!text.startsWith(first.trimEnd())) return [];
  let from = first.trimEnd().length;
  const values: string[] = [];
  for (const [index, literal] of rest.entries()) {
    const next = literal.trim();
    const isLast = index === rest.length - 1;
    const at = next === '' && isLast ? text.length : text.indexOf(next, from + 1);
    if (at === -1) return [];
    values.push(bare(text.slice(from, at)));
    from = at + next.length;
  }
  return values;
}

/** Without quotes and what surrounds them. */
const bare = (value: string): string =>
  firstOf(value.replace(/^[\s'"`‘“(]+/, '').replace(/[\s'"`’”).,;:]+$/, ''), VALUE);

function count(counts: Map<string, number> | undefined, key: string): void {
  if (key !== '') counts?.set(key, (counts.get(key) ?? 0) + 1);
}

/** The most frequent first, those of equal count in the order in which they came. */
const mostFrequent = (counts: Map<string, number>): { text: string; count: number }[] =>
  [...counts]
    .map(([text, number]) => ({ text, count: number }))
    .toSorted((a, b) => b.count - a.count)
    .slice(0, SHOWN);

/** Where errors came from: file and function of the top own frame of each stack, the most frequent first. */
export function placesOf(stacks: readonly string[]): ErrorPattern['places'] {
  const counts = new Map<string, number>();
  for (const stack of stacks) count(counts, ownPlace(stack) ?? '');
  return mostFrequent(counts).map(({ text, count: number }) => ({ place: text, count: number }));
}

/** Characters of a stack that are searched. */
const STACK = 8000;

/** A frame in a file: its function, which may be missing, and its path. */
const FRAME =
  /^\s*at (?:(?:async )?([^\s()]+(?: \[as [^\]]+\])?) \()?(?:file:\/\/)?((?:\/|[A-Za-z]:[\\/])[^():]*):\d+:\d+\)?$/;

/** File and function, without the line, which changes with every edit of the file. Null where no frame is one's own. */
function ownPlace(stack: string): string | null {
  for (const line of firstOf(stack, STACK).split('\n')) {
    const [, name, path] = FRAME.exec(line.trimEnd()) ?? [];
    if (path === undefined || path.includes('/node_modules/')) continue;
    return name === undefined ? path : `${path} ${name}`;
  }
  return null;
}
