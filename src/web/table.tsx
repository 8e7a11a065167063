/**
 * Tables. A long one scrolls in a box and has rows only for what is in view: of 10,000 rows about 40 exist. The box's rows
 * all have one height, so that a position is a row.
 */
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { Fragment } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { type CsvValue, csv } from './model/format.ts';
import type { Sort } from './model/place.ts';

export interface PageColumn<Row> {
  key: string;
  title: string;
  cell: (row: Row) => ComponentChildren;
  /** Numbers stand at the end. */
  isNumber?: boolean;
  /** Not shown where there is little room: the least width in which it is. */
  from?: 'medium' | 'wide';
  class?: string;
  /** Whether the rows can be sorted by it. */
  canSort?: boolean;
  /** For the copy as CSV; the column is left out where there is none. */
  csv?: (row: Row) => CsvValue;
  /** Columns of one group stand beside each other. */
  group?: string;
}

export interface TableProps<Row> {
  label: string;
  columns: readonly PageColumn<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string;
  rowClass?: (row: Row) => string;
  sort?: Sort | null;
  onSort?: (sort: Sort | null) => void;
  /** What the reader opens in place; null for nothing to open. */
  opened?: (row: Row) => ComponentChildren | null;
  /** For the keys `o` and `c` on a row. */
  onOpen?: (row: Row) => void;
  commandOf?: (row: Row) => string | null;
}

/** Of more rows the table scrolls in a box. */
const BOXED_FROM = 200;

/** Height of a row in the box, as in the style sheet, in pixels. */
const ROW = 32;

/** Rows beyond the edges of the box that exist. */
const BEYOND = 12;

/** Moves the focus within a list whose rows do not all exist. */
const movers = new WeakMap<Element, (by: number) => boolean>();

/** Moves from the row that has the focus by so many rows; false where that is left to the page. */
export function moveWithin(row: Element, by: number): boolean {
  const box = row.closest('.box');
  return box === null ? false : (movers.get(box)?.(by) ?? false);
}

/** What the keys do on a row, by its element. */
const actions = new WeakMap<Element, { open?: () => void; command: () => string | null }>();
export const actionsOf = (row: Element) => actions.get(row);

export function csvOf<Row>(columns: readonly PageColumn<Row>[], rows: readonly Row[]): string {
  const kept = columns.flatMap(({ title, csv: value }) => (value === undefined ? [] : [{ title, value }]));
  return csv(
    kept.map(({ title }) => title),
    rows.map((row) => kept.map(({ value }) => value(row))),
  );
}

export function Table<Row>(props: TableProps<Row>) {
  return props.rows.length > BOXED_FROM ? <BoxedTable {...props} /> : <WholeTable {...props} />;
}

function WholeTable<Row>(props: TableProps<Row>) {
  const { label, columns, rows, keyOf, opened } = props;
  return (
    <div class="tw" tabIndex={0} role="region" aria-label={label}>
      <table class="stack">
        <Head {...props} />
        <tbody>
          {rows.map((row) => {
            const more = opened?.(row) ?? null;
            return (
              <Fragment key={keyOf(row)}>
                <Row {...props} row={row} />
                {more !== null && (
                  <tr class="exp">
                    <td colSpan={columns.length}>{more}</td>
                  </tr>
                )}
              </Fragment>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function BoxedTable<Row>(props: TableProps<Row>) {
  const { label, rows, keyOf } = props;
  const box = useRef<HTMLDivElement>(null);
  const first = useSignal(0);
  const height = useSignal(520);
  const isScheduled = useRef(false);
  const look = (): void => {
    const element = box.current;
    if (element === null) return;
    first.value = Math.max(0, Math.floor(element.scrollTop / ROW) - BEYOND);
    height.value = element.clientHeight;
  };
  const onScroll = (): void => {
    if (isScheduled.current) return;
    isScheduled.current = true;
    requestAnimationFrame(() => {
      isScheduled.current = false;
      look();
    });
  };
  const from = Math.min(first.value, Math.max(0, rows.length - 1));
  const to = Math.min(rows.length, from + Math.ceil(height.value / ROW) + 2 * BEYOND);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    movers.set(element, (by) => moveInBox(element, by, rows.length, look));
  });
  return (
    <div class="box" ref={box} onScroll={onScroll} tabIndex={0} role="region" aria-label={label}>
      <table aria-rowcount={rows.length + 1}>
        <Head {...props} />
        <tbody>
          <Spacer height={from * ROW} />
          {rows.slice(from, to).map((row, index) => (
            <Row key={keyOf(row)} {...props} row={row} index={from + index} />
          ))}
          <Spacer height={(rows.length - to) * ROW} />
        </tbody>
      </table>
    </div>
  );
}

/** Of one cell: one over all columns would make a column of each that is not shown. */
function Spacer({ height }: { height: number }) {
  return (
    <tr class="spacer" aria-hidden="true">
      <td height={Math.max(0, height)} />
    </tr>
  );
}

/**
 * Scrolls the row into view that is next, and focuses it. It exists at the end of this task: by the next frame another key may
 * have been pressed, which would lead to the same row.
 */
function moveInBox(box: HTMLElement, by: number, rows: number, look: () => void): boolean {
  const current = document.activeElement?.closest('tr')?.getAttribute('aria-rowindex');
  const index = current == null ? 0 : Number(current) - 2 + by;
  if (index < 0 || index >= rows) return false;
  const headHeight = box.querySelector('thead')?.clientHeight ?? 0;
  const top = index * ROW;
  if (top < box.scrollTop) box.scrollTop = top;
  else if (top + ROW + headHeight > box.scrollTop + box.clientHeight)
    box.scrollTop = top + ROW + headHeight - box.clientHeight;
  look();
  queueMicrotask(() =>
    box.querySelector<HTMLElement>(`tr[aria-rowindex="${index + 2}"]`)?.focus({ preventScroll: true }),
  );
  return true;
}

function Head<Row>({ columns, sort, onSort }: TableProps<Row>) {
  const hasGroups = columns.some(({ group }) => group !== undefined);
  return (
    <thead>
      {hasGroups && <Groups columns={columns} />}
      <tr>
        {columns.map((column) => (
          <th
            key={column.key}
            scope="col"
            class={classOf(column)}
            aria-sort={column.canSort === true ? sortState(column.key, sort ?? null) : undefined}
          >
            {column.canSort === true && onSort !== undefined ? (
              <button type="button" onClick={() => onSort(nextSort(column, sort ?? null))}>
                {column.title}
              </button>
            ) : (
              column.title
            )}
          </th>
        ))}
      </tr>
    </thead>
  );
}

function Groups<Row>({ columns }: { columns: readonly PageColumn<Row>[] }) {
  const groups: { name: string | undefined; span: number }[] = [];
  for (const { group } of columns) {
    const last = groups.at(-1);
    if (last !== undefined && last.name === group) last.span += 1;
    else groups.push({ name: group, span: 1 });
  }
  return (
    <tr>
      {groups.map(({ name, span }, index) =>
        name === undefined ? (
          <td key={index} class="grp" colSpan={span} />
        ) : (
          <th key={index} class="grp" colSpan={span} scope="colgroup">
            <span>{name}</span>
          </th>
        ),
      )}
    </tr>
  );
}

function Row<Row>({
  row,
  columns,
  rowClass,
  index,
  onOpen,
  commandOf,
}: TableProps<Row> & { row: Row; index?: number }) {
  const element = useRef<HTMLTableRowElement>(null);
  useLayoutEffect(() => {
    if (element.current === null) return;
    const open = onOpen === undefined ? {} : { open: () => onOpen(row) };
    actions.set(element.current, { ...open, command: () => commandOf?.(row) ?? null });
  });
  return (
    <tr
      ref={element}
      class={rowClass?.(row) ?? ''}
      data-move="row"
      tabIndex={-1}
      aria-rowindex={index === undefined ? undefined : index + 2}
    >
      {columns.map((column) => (
        <td key={column.key} class={classOf(column)} data-l={column.title}>
          {column.cell(row)}
        </td>
      ))}
    </tr>
  );
}

const classOf = <Row,>({ isNumber, from, class: name }: PageColumn<Row>): string =>
  [isNumber === true ? 'n' : '', from === undefined ? '' : `from-${from}`, name ?? '']
    .filter(Boolean)
    .join(' ');

function sortState(column: string, sort: Sort | null): 'ascending' | 'descending' | 'none' {
  if (sort?.column !== column) return 'none';
  return sort.descending ? 'descending' : 'ascending';
}

/** One direction, the other, none: numbers begin with the largest. */
function nextSort<Row>({ key, isNumber }: PageColumn<Row>, sort: Sort | null): Sort | null {
  const beginsDescending = isNumber === true;
  if (sort?.column !== key) return { column: key, descending: beginsDescending };
  return sort.descending === beginsDescending ? { column: key, descending: !beginsDescending } : null;
}
