/**
 * Which part of the tree a scope owns, from its text alone. Nothing here looks at the disk: relative scopes are
 * relative to the folder Millrace was started in.
 */
import { posix } from 'node:path';

/** `.` is the whole folder, `/` the whole disk. */
const EVERYTHING = '.';

/**
 * The path before a glob's first wildcard, whole segments only, as a normal path without a slash at its end:
 * `src/*.ts` is `src`, `./a/../b/` is `b`, `**` is `.`. Every path that the glob matches is this path or below it.
 * A backslash makes the next character an ordinary one. What could be a wildcard counts as one, also where it is
 * incomplete (`[`, `{a}`): the base that picomatch.scan gives reaches beyond the first wildcard where braces are
 * escaped or hold no comma.
 */
export function scopePrefix(glob: string): string {
  const { literal, rest } = splitAtWildcard(glob);
  const base = rest === '' ? literal : literal.slice(0, literal.lastIndexOf('/') + 1);
  // A `..` behind a wildcard may leave again what the literal part names.
  const up = rest.split(/[/,{}()|]/).filter((segment) => segment === '..').length;
  const path = posix.normalize(`${base === '' ? EVERYTHING : base}${'/..'.repeat(up)}`);
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

/**
 * The prefixes of a workstream's scopes. A glob that begins with `!` takes away from the others, so beside others it
 * owns nothing; alone it owns everything.
 */
export function scopePrefixes(scopes: readonly string[]): string[] {
  const owning = scopes.filter((scope) => !isNegated(scope));
  return [...new Set((owning.length > 0 ? owning : scopes).map(scopePrefix))];
}

/** Whether one scope's prefix is the same path as the other's, or an ancestor of it. */
export function scopesOverlap(a: string, b: string): boolean {
  const prefixes = [scopePrefix(a), scopePrefix(b)] as const;
  const up = Math.max(...prefixes.map(levelsUp));
  const [first, second] = prefixes.map((prefix) => stepsTo(prefix, up));
  return first !== undefined && second !== undefined && (isBelow(first, second) || isBelow(second, first));
}

/** How many folders above the one Millrace was started in a prefix begins: 2 for `../../x`. */
export function levelsUp(prefix: string): number {
  return prefix.split('/').filter((segment) => segment === '..').length;
}

/**
 * The steps from the root of the disk to a prefix, so that an ancestor's steps are the first of its descendants'.
 * The names of the folders around the start folder are not known; each is the step `..`, and `up` is the most of
 * them that any prefix compared here goes up.
 */
export function stepsTo(prefix: string, up: number): string[] {
  const segments = prefix
    .split('/')
    .filter((segment) => segment !== '' && segment !== '.' && segment !== '..');
  if (prefix.startsWith('/')) return segments;
  return [...Array<string>(up - levelsUp(prefix) + 1).fill('..'), ...segments];
}

const isBelow = (steps: string[], ancestor: string[]): boolean =>
  ancestor.every((step, index) => steps[index] === step);

const isNegated = (glob: string): boolean => glob.startsWith('!') && glob[1] !== '(';

const WILDCARDS = new Set('*?[{(');
const BEFORE_BRACKET = new Set('!+@');

/** `literal` without its escapes, and the glob from its first wildcard on. */
function splitAtWildcard(glob: string): { literal: string; rest: string } {
  if (isNegated(glob)) return { literal: '', rest: glob };
  let literal = '';
  for (let i = 0; i < glob.length; i++) {
    const char = glob.charAt(i);
    if (WILDCARDS.has(char) || (BEFORE_BRACKET.has(char) && glob[i + 1] === '('))
      return { literal, rest: glob.slice(i) };
    if (char === '\\' && i + 1 < glob.length) i += 1;
    literal += glob.charAt(i);
  }
  return { literal, rest: '' };
}
