/** A table described once: from its columns come what is inserted, what is selected and how a row is parsed. */
import { z } from 'zod';

export type SqlValue = string | number | null;

/** What is written in a column for a record, and how a cell of it is read. */
export interface TableColumn<Source, Cell extends z.ZodType = z.ZodType> {
  write: (source: Source) => SqlValue;
  read: Cell;
}

type Columns<Source, Shape extends Record<string, z.ZodType>> = {
  [Name in keyof Shape]: TableColumn<Source, Shape[Name]>;
};

/** What an insert needs of a table. */
export interface Insertable<Source> {
  name: string;
  columns: readonly string[];
  /** In the order of the columns. */
  valuesOf: (source: Source) => SqlValue[];
}

export interface Table<Source, Shape extends Record<string, z.ZodType>> extends Insertable<Source> {
  /** By column. A query picks those that it needs, and parses its rows with what it picked. */
  row: z.ZodObject<Shape>;
}

/** Takes the type of the records first, so that those of the cells are inferred: `tableOf<Source>()(name, columns)`. */
export const tableOf =
  <Source>() =>
  <Shape extends Record<string, z.ZodType>>(
    name: string,
    columns: Columns<Source, Shape>,
  ): Table<Source, Shape> => {
    const writers = Object.values<TableColumn<Source>>(columns).map(({ write }) => write);
    return {
      name,
      columns: Object.keys(columns),
      row: z.object(shapeOf(columns)),
      valuesOf: (source) => writers.map((write) => write(source)),
    };
  };

/** What follows INSERT for one row, with a parameter for each column. */
export function insertInto({ name, columns }: Pick<Insertable<never>, 'name' | 'columns'>): string {
  return `INTO ${name} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`;
}

/** The columns of a row's shape, for a SELECT. */
export const columnsOf = (row: z.ZodObject, alias: string): string =>
  Object.keys(row.shape)
    .map((name) => `${alias}.${name}`)
    .join(', ');

function shapeOf<Source, Shape extends Record<string, z.ZodType>>(columns: Columns<Source, Shape>): Shape;
function shapeOf(columns: Record<string, TableColumn<never>>): Record<string, z.ZodType> {
  return Object.fromEntries(Object.entries(columns).map(([name, { read }]) => [name, read]));
}
