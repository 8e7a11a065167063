import type { Workstream } from '../domain/workstream.ts';
import { at } from './at.ts';
import { levelsUp, scopePrefixes, stepsTo } from './scope.ts';

/** What of a workstream the tree is made of. */
export type Scoped = Pick<Workstream, 'scopes'>;

/**
 * The scopes of all workstreams as one tree of paths: two scopes overlap when the place of one is the place of the
 * other or above it. Built in time proportional to the text of the scopes.
 */
export class ScopeTree {
  /** By workstream: the places it owns, ascending, none above another. */
  readonly owned: number[][];
  /** By place: the place above it; -1 for the root. A parent's number is less than its children's. */
  readonly #parents = [-1];
  readonly #children = new Map<string, number>();
  /** By place that is owned: its path. */
  readonly #paths = new Map<number, string>();

  constructor(workstreams: readonly Scoped[]) {
    const prefixes = workstreams.map(({ scopes }) => scopePrefixes(scopes));
    const up = prefixes.flat().reduce((most, prefix) => Math.max(most, levelsUp(prefix)), 0);
    this.owned = prefixes.map((own) => this.#withoutNested(own.map((prefix) => this.#place(prefix, up))));
  }

  /** Number of places. */
  get size(): number {
    return this.#parents.length;
  }

  parent(place: number): number {
    return at(this.#parents, place);
  }

  /** The path of a place that a workstream owns, as `scopePrefix` gives it. */
  path(place: number): string {
    return this.#paths.get(place) ?? '';
  }

  #place(prefix: string, up: number): number {
    let place = 0;
    for (const step of stepsTo(prefix, up)) place = this.#child(place, step);
    this.#paths.set(place, prefix);
    return place;
  }

  #child(parent: number, step: string): number {
    const key = `${parent}/${step}`;
    const known = this.#children.get(key);
    if (known !== undefined) return known;
    const child = this.#parents.length;
    this.#children.set(key, child);
    this.#parents.push(parent);
    return child;
  }

  #withoutNested(places: number[]): number[] {
    if (places.length < 2) return places;
    const all = new Set(places);
    return places.filter((place) => !this.#isInside(place, all)).toSorted((a, b) => a - b);
  }

  #isInside(place: number, all: ReadonlySet<number>): boolean {
    for (let above = this.parent(place); above !== -1; above = this.parent(above)) {
      if (all.has(above)) return true;
    }
    return false;
  }
}
