import { z } from 'zod';
import type { Json } from '../domain/json.ts';

/** Reads a JSON cell; what is missing, malformed or of another shape becomes what the schema catches it with. */
export function jsonCell<T>(schema: z.ZodType<T>, cell: string | null): T {
  return schema.parse(parsed(cell));
}

/** The value in a JSON cell; undefined for none and for malformed JSON, which an older system may have written. */
function parsed(cell: string | null): unknown {
  if (cell === null) return undefined;
  try {
    return JSON.parse(cell);
  } catch {
    return undefined;
  }
}

/** A list whose unfit elements are left out; anything that is not a list is an empty one. */
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

/** A value inside a cell, as it stands there: what JSON.parse gave need not be looked through again. */
export const anyJson: z.ZodType<Json> = z.custom<Json>((value) => value !== undefined).catch(null);
