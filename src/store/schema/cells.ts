/** How single cells are read, whatever an older system may have written in them. */
import { z } from 'zod';
import type { Json } from '../../domain/json.ts';

/** A column of text; null where there is none, or where an older system put something else. */
export const textCell = z.string().nullable().catch(null);
/** A column that is never without text; bytes, which only another program writes, are read as UTF-8. */
export const nameCell = z.preprocess(
  (cell) => (cell instanceof Uint8Array ? new TextDecoder().decode(cell) : cell),
  z.string(),
);
/** A column of numbers; null where there is none. */
export const numberCell = z.number().nullable().catch(null);

/** Reads a JSON cell; the schema catches what is missing, malformed or of another shape. */
export function jsonCell<T>(schema: z.ZodType<T>, cell: string | null): T {
  return schema.parse(parsed(cell));
}

/** The value in a JSON cell; undefined for none and for malformed JSON, which an older system may have written. */
export function parsed(cell: string | null): Json | undefined {
  if (cell === null) return undefined;
  try {
    const value: Json = JSON.parse(cell);
    return value;
  } catch {
    return undefined;
  }
}

/** A list without the elements that do not match; anything that is not a list is read as an empty one. */
export function listOf<T>(element: z.ZodType<T>): z.ZodType<T[]> {
  return z
    .array(z.unknown())
    .catch([])
    .transform((values) =>
      values.flatMap((value) => {
        const result = element.safeParse(value);
        return result.success ? [result.data] : [];
      }),
    );
}

/** Any value inside a JSON cell, unchanged: what JSON.parse returned needs no validation. */
export const anyJson: z.ZodType<Json> = z.custom<Json>((value) => value !== undefined).catch(null);

/** As Millrace writes it. */
const OURS = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;
const WITHOUT_ZONE = /^(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2})(\.\d+)?$/;

/**
 * A time from the database as ISO 8601 in UTC with milliseconds. `YYYY-MM-DD HH:MM:SS`, as the older system wrote it,
 * is UTC. Null for what is no time.
 */
export function isoTime(cell: string | null): string | null {
  if (cell === null || OURS.test(cell)) return cell;
  const time = new Date(cell.replace(WITHOUT_ZONE, '$1T$2$3Z'));
  return Number.isNaN(time.getTime()) ? null : time.toISOString();
}
