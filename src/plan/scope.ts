/**
 * Which part of the tree a scope owns, from its text alone. Nothing here reads the disk: relative scopes are
 * relative to the folder Millrace was started in.
 */
import { posix } from 'node:path';
import type { Workstream } from '../domain/workstream.ts';
import { requireAt } from './require-at.ts';

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
  // A `..` behind a wildcard may lead out of what the literal part names.
  const up = rest.includes('..') ? rest.split(/[/,{}()|]/).filter((part) => part === '..').length : 0;
  const path = posix.normalize(`${base === '' ? EVERYTHING : base}${'/..'.repeat(up)}`);
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

/**
 * The prefixes of a workstream's scopes. A glob that begins with `!` subtracts from the others, so beside others it
 * owns nothing; alone it owns everything.
 */
export function scopePrefixes(scopes: readonly string[]): string[] {
  const owning = scopes.filter((scope) => !isNegated(scope));
  return [...new Set((owning.length > 0 ? owning : scopes).map(scopePrefix))];
}

/** How many folders above the one Millrace was started in a prefix begins: 2 for `../../x`. */
function levelsUp(prefix: string): number {
  return Math.ceil((/^(?:\.\.(?:\/|$))*/.exec(prefix)?.[0].length ?? 0) / '../'.length);
}

/**
 * The prefix one folder higher, up to `/`; null above that. The names of the folders around the start folder are not
 * known: above `.` are `..` and so on, and above the one that is `up` levels higher is `/`.
 */
function prefixAbove(prefix: string, up: number): string | null {
  if (prefix === '/') return null;
  if (prefix === '.') return up > 0 ? '..' : '/';
  if (prefix === '..' || prefix.endsWith('/..')) return levelsUp(prefix) < up ? `../${prefix}` : '/';
  const slash = prefix.lastIndexOf('/');
  if (slash === -1) return '.';
  return slash === 0 ? '/' : prefix.slice(0, slash);
}

const isNegated = (glob: string): boolean => glob.startsWith('!') && glob[1] !== '(';

/** Escaped characters, and any others up to what begins a wildcard, a set, braces or a bracket. */
const LITERAL = /^(?:\\[^]|(?![*?[{(]|[!+@]\()[^])*/;

/** `literal` without its escapes, and the glob from its first wildcard on. */
function splitAtWildcard(glob: string): { literal: string; rest: string } {
  const raw = isNegated(glob) ? '' : (LITERAL.exec(glob)?.[0] ?? '');
  return { literal: raw.replaceAll(/\\([^])/g, '$1'), rest: glob.slice(raw.length) };
}

const NO_PLACES: readonly number[] = [];

/** The fields of a workstream that the tree needs. */
export type Scoped = Pick<Workstream, 'scopes'>;

/**
 * The scopes of all workstreams as one tree of paths: two scopes overlap when the place of one is the place of the
 * other or above it. Built in time proportional to the text of the scopes.
 */
export class ScopeTree {
  /** By workstream, of those that have scopes: the places it owns, ascending. */
  readonly #owned = new Map<number, readonly number[]>();
  /** By place: the place above it; -1 for the root of the disk, which is place 0. A parent comes before its children. */
  readonly #parents = [-1];
  readonly #paths = ['/'];
  readonly #places = new Map([['/', 0]]);
  /** Most levels that any scope goes up from the start folder. */
  readonly #up: number;

  constructor(workstreams: readonly Scoped[]) {
    const prefixes = new Map<number, string[]>();
    workstreams.forEach(({ scopes }, index) => {
      if (scopes.length > 0) prefixes.set(index, scopePrefixes(scopes));
    });
    let up = 0;
    for (const own of prefixes.values()) for (const prefix of own) up = Math.max(up, levelsUp(prefix));
    this.#up = up;
    for (const [index, own] of prefixes) {
      const places = own.map((prefix) => this.#place(prefix));
      this.#owned.set(
        index,
        places.toSorted((a, b) => a - b),
      );
    }
  }

  /** The places that the workstream with this index owns, ascending. */
  ownedBy(index: number): readonly number[] {
    return this.#owned.get(index) ?? NO_PLACES;
  }

  /** The places that are owned, by each workstream that owns any. */
  get owned(): Iterable<readonly number[]> {
    return this.#owned.values();
  }

  /** Number of places. */
  get size(): number {
    return this.#parents.length;
  }

  parent(place: number): number {
    return requireAt(this.#parents, place);
  }

  /** The path of a place, in the form of `scopePrefix`. */
  path(place: number): string {
    const path = this.#paths[place];
    if (path === undefined) throw new RangeError(`there is no place ${place}`);
    return path;
  }

  /** The place of a prefix; it and those above it are created when they are new. */
  #place(prefix: string): number {
    const missing: string[] = [];
    let place: number | undefined;
    for (let path: string | null = prefix; path !== null; path = prefixAbove(path, this.#up)) {
      place = this.#places.get(path);
      if (place !== undefined) break;
      missing.push(path);
    }
    let last = place ?? 0;
    for (const path of missing.toReversed()) {
      this.#parents.push(last);
      last = this.#paths.push(path) - 1;
      this.#places.set(path, last);
    }
    return last;
  }
}
