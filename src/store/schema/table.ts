/** A table described once: from its columns come what is inserted, what is selected and how a row is parsed. */
import { z } from 'zod';

export type SqlValue = string | number | null;

/** What is written in a column for a record, and how a cell of it is read. */
export interface TableColumn<Source, Cell extends z.ZodType = z.ZodType> {
  write: (source: Source) => SqlValue;
  /** What `write` returns for every plain record; left out where plain records differ. */
  plain?: SqlValue;
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
  /** The row of a plain record: cells that all of them share as they are, and a parameter for each other one. */
  plainRow: string;
  /** Adds the values of those parameters. */
  addPlainValues: (source: Source, values: SqlValue[]) => void;
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
    const all = Object.values<TableColumn<Source>>(columns);
    const different = all.filter(({ plain }) => plain === undefined);
    return {
      name,
      columns: Object.keys(columns),
      row: z.object(shapeOf(columns)),
      valuesOf: (source) => all.map(({ write }) => write(source)),
      plainRow: `(${all.map(({ plain }) => (plain === undefined ? '?' : literal(plain))).join(', ')})`,
      addPlainValues: (source, values) => {
        for (const { write } of different) values.push(write(source));
      },
    };
  };

function literal(value: SqlValue): string {
  if (typeof value !== 'string') return String(value);
  return `'${value.replaceAll("'", "''")}'`;
}

/** What follows INSERT. Default: one row, with a parameter for each column. */
export function insertInto(
  { name, columns }: Pick<Insertable<never>, 'name' | 'columns'>,
  rows: readonly string[] = [`(${columns.map(() => '?').join(', ')})`],
): string {
  return `INTO ${name} (${columns.join(', ')}) VALUES ${rows.join(', ')}`;
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
