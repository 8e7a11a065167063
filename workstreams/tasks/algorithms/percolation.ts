import type { Random } from '../lib/random.ts';
import { UnionFind } from './union-find.ts';

/**
 * Site percolation on a square lattice: Newman & Ziff, "Efficient Monte Carlo algorithm and high-precision results for
 * percolation", 2000. Sites are opened one by one in random order, and sets of connected open sites are merged, until
 * water that enters at the top reaches the bottom.
 */
export class Percolation {
  readonly #side: number;
  readonly #order: Int32Array;
  readonly #open: Uint8Array;
  readonly #sets: UnionFind;

  /** @param side number of rows, and of columns. */
  constructor(side: number) {
    const sites = side * side;
    this.#side = side;
    this.#order = Int32Array.from({ length: sites }, (_, site) => site);
    this.#open = new Uint8Array(sites);
    this.#sets = new UnionFind(sites + 2);
  }

  /** Fills an empty lattice until it percolates and gives the share of open sites at that moment. */
  threshold(random: Random): number {
    const order = this.#order;
    const sites = order.length;
    const [top, bottom] = [sites, sites + 1];
    this.#open.fill(0);
    this.#sets.reset();
    for (let count = 0; count < sites; count += 1) {
      // One step of the Fisher-Yates shuffle: sites that are never opened need not be shuffled.
      const pick = count + random.below(sites - count);
      const site = order[pick] ?? 0;
      order[pick] = order[count] ?? 0;
      order[count] = site;
      this.#openSite(site);
      if (this.#sets.connected(top, bottom)) return (count + 1) / sites;
    }
    return 1;
  }

  #openSite(site: number): void {
    const side = this.#side;
    const sites = this.#order.length;
    const column = site % side;
    this.#open[site] = 1;
    if (site < side) this.#sets.union(site, sites);
    else this.#join(site, site - side);
    if (site >= sites - side) this.#sets.union(site, sites + 1);
    else this.#join(site, site + side);
    if (column > 0) this.#join(site, site - 1);
    if (column < side - 1) this.#join(site, site + 1);
  }

  #join(site: number, neighbour: number): void {
    if (this.#open[neighbour] === 1) this.#sets.union(site, neighbour);
  }
}
