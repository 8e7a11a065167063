/** Parts of tables and lists in reports: lists that are cut, excerpts, figures, times of day. */
import type { Capped } from '../domain/capped.ts';
import { firstOf, lastOf } from '../text/cut-text.ts';
import { plural } from '../text/format.ts';
import { printable } from '../text/printable.ts';
import { type Block, type Cell, type Column, code, paragraph, table } from './nodes.ts';

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

/** A table of at most `limit` items; for more, also the number left out and the command that shows them. */
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

/** Marks where an excerpt was cut. */
const CUT = '…';

/**
 * The beginning or the end of a text of any size, printable and at most `limit` characters. What is left out is not
 * read, so that 10 MB cost no more than a page.
 */
export function excerpt(text: string, limit: number, keep: 'start' | 'end'): string {
  const near = keep === 'start' ? firstOf(text, limit * 2) : lastOf(text, limit * 2);
  const clean = printable(near)
    .replaceAll(/[ \t]+$/gm, '')
    .replace(/^\n+/, '')
    .trimEnd();
  if (near.length === text.length && clean.length <= limit) return clean;
  return keep === 'start' ? firstOf(clean, limit - 1) + CUT : CUT + lastOf(clean, limit - 1);
}

/** A number with the digits that a person needs: no decimals from 100,000 on, below that six significant digits. */
export function figure(value: number): string {
  if (!Number.isFinite(value) || Number.isInteger(value)) return String(value);
  return Math.abs(value) >= 1e5 && Math.abs(value) < 1e21
    ? String(Math.round(value))
    : String(Number(value.toPrecision(6)));
}

/** A rate or ratio with about three significant digits; null is "–". */
export function ratio(value: number | null): string {
  if (value === null) return '–';
  return Math.abs(value) >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}

// Times of day for reports. All of them are in UTC, as the stored ones are.

/** "2026-07-14 09:30:00"; null and what is not a time are "–". */
export function dateTime(iso: string | null): string {
  const time = parse(iso);
  return time === null ? '–' : new Date(time).toISOString().slice(0, 19).replace('T', ' ');
}

/** "09:30:00.250", with the date before it when it isn't the day of `since`. */
export function timeOfDay(iso: string | null, since: string): string {
  const time = parse(iso);
  if (time === null) return '–';
  const whole = new Date(time).toISOString();
  const start = parse(since);
  const sameDay = start !== null && new Date(start).toISOString().slice(0, 10) === whole.slice(0, 10);
  return sameDay ? whole.slice(11, 23) : whole.slice(0, 23).replace('T', ' ');
}

/** Seconds from one time to another, null when either isn't known. */
export function secondsBetween(from: string | null, to: string | null): number | null {
  const start = parse(from);
  const end = parse(to);
  return start === null || end === null ? null : (end - start) / 1000;
}

/** Milliseconds since 1970. A time without a zone, as SQLite writes it, is UTC. */
export function parse(iso: string | null): number | null {
  if (iso === null) return null;
  const zoned = /(?:Z|[+-]\d\d:?\d\d)$/i.test(iso) ? iso : `${iso.replace(' ', 'T')}Z`;
  const time = Date.parse(zoned);
  return Number.isNaN(time) ? null : time;
}

// Most characters of a stack that are searched.

const SEARCHED = 20_000;

/**
 * The place of the first frame of a stack that is in a file and not in Node or a package: "path:line:column".
 * Null when there is none.
 */
export function firstFrame(stack: string): string | null {
  for (const line of firstOf(stack, SEARCHED).split('\n')) {
    const match = /^\s*at (?:.*\()?((?:file:\/\/)?(?:\/|[A-Za-z]:[\\/])[^()]*:\d+:\d+)\)?\s*$/.exec(line);
    const place = match?.[1];
    if (place !== undefined && !place.includes('/node_modules/')) return place.replace(/^file:\/\//, '');
  }
  return null;
}
