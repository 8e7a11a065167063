import type { Capped } from '../domain/capped.ts';
import { type Block, type Cell, code, type Column, paragraph, table } from './nodes.ts';
import { plural } from '../support/plural.ts';

/** How a list that was cut is shown, and where the rest is. */
export interface Listing<T> {
  columns: Column[];
  row: (item: T) => Cell[];
  /** Most rows in the report. */
  limit: number;
  /** What an item is called: "failure". */
  noun: string;
  /** A command that shows all of them. */
  rest: string;
}

/** A table of at most `limit` items; where there are more, the number left out and the command that shows them. */
export function cappedTable<T>(items: Capped<T>, listing: Listing<T>): Block[] {
  const shown = items.shown.slice(0, listing.limit);
  if (shown.length === 0) return [];
  const left = items.total - shown.length;
  const blocks: Block[] = [table(listing.columns, shown.map(listing.row))];
  if (left > 0) {
    blocks.push(paragraph(`and ${plural(left, `more ${listing.noun}`)}: `, code(listing.rest, 600), '.'));
  }
  return blocks;
}
