import type { Workstream } from '../domain/workstream.ts';
import { at } from './at.ts';
import { levelsUp, prefixAbove, scopePrefixes } from './scope.ts';

/** What of a workstream the tree is made of. */
export type Scoped = Pick<Workstream, 'scopes'>;

/**
 * The scopes of all workstreams as one tree of paths: two scopes overlap when the place of one is the place of the
 * other or above it. Built in time proportional to the text of the scopes.
 */
export class ScopeTree {
  /** By workstream: the places it owns, ascending. */
  readonly owned: number[][];
  /** By place: the place above it; -1 for the root of the disk, which is place 0. A parent comes before its children. */
  readonly #parents = [-1];
  readonly #paths = ['/'];
  readonly #places = new Map([['/', 0]]);
  /** Most levels that any scope goes up from the start folder. */
  readonly #up: number;

  constructor(workstreams: readonly Scoped[]) {
    const prefixes = workstreams.map(({ scopes }) => scopePrefixes(scopes));
    this.#up = prefixes.flat().reduce((most, prefix) => Math.max(most, levelsUp(prefix)), 0);
    this.owned = prefixes.map((own) => own.map((prefix) => this.#place(prefix)).toSorted((a, b) => a - b));
  }

  /** Number of places. */
  get size(): number {
    return this.#parents.length;
  }

  parent(place: number): number {
    return at(this.#parents, place);
  }

  /** The path of a place, as `scopePrefix` gives it. */
  path(place: number): string {
    const path = this.#paths[place];
    if (path === undefined) throw new RangeError(`there is no place ${place}`);
    return path;
  }

  /** The place of a prefix; it and those above it are made when they are new. */
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
