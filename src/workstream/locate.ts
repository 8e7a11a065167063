/** From a JSON path to a line and a column. Only used when there is a problem to report. */
import { visit } from 'jsonc-parser';

export type JsonPath = readonly (string | number)[];

/** A value, or the name of the field that holds it. */
export interface Target {
  path: JsonPath;
  at: 'key' | 'value';
}

/** Part of the file that is looked for: a tree of all targets' paths. */
interface Node {
  children: Map<string | number, Node>;
  keyOffset: number | null;
  valueOffset: number | null;
}

/**
 * Places of the targets, in their order, in text that `parse` took. What is not in the text has the place of the
 * nearest value around it. One pass over the text for all targets together.
 */
export function locate(text: string, targets: readonly Target[]): Place[] {
  if (targets.length === 0) return [];
  const root = treeOf(targets);
  fillOffsets(text, root);
  return placesOf(
    text,
    targets.map((target) => offsetOf(root, target)),
  );
}

const newNode = (): Node => ({ children: new Map(), keyOffset: null, valueOffset: null });

function treeOf(targets: readonly Target[]): Node {
  const root = newNode();
  for (const { path } of targets) {
    let node = root;
    for (const segment of path) {
      let child = node.children.get(segment);
      if (child === undefined) node.children.set(segment, (child = newNode()));
      node = child;
    }
  }
  return root;
}

/** An object or array that the visitor is inside of; `node` is null where nothing is looked for. */
interface Level {
  node: Node | null;
  /** Index of the next element; null in an object. */
  index: number | null;
}

function fillOffsets(text: string, root: Node): void {
  const levels: Level[] = [];
  let property: Node | null = root;
  const value = (offset: number): Node | null => {
    const level = levels.at(-1);
    const node =
      level === undefined || level.index === null
        ? property
        : (level.node?.children.get(level.index++) ?? null);
    if (node !== null) node.valueOffset = offset;
    return node;
  };
  const begin = (offset: number, index: number | null): boolean => {
    const node = value(offset);
    levels.push({ node, index });
    return node !== null && node.children.size > 0;
  };
  const end = (): void => void levels.pop();
  visit(
    text,
    {
      onObjectBegin: (offset) => begin(offset, null),
      onArrayBegin: (offset) => begin(offset, 0),
      onObjectEnd: end,
      onArrayEnd: end,
      onLiteralValue: (_value, offset) => void value(offset),
      onObjectProperty: (name, offset) => {
        property = levels.at(-1)?.node?.children.get(name) ?? null;
        if (property !== null) property.keyOffset = offset;
      },
    },
    { allowTrailingComma: true },
  );
}

function offsetOf(root: Node, { path, at }: Target): number {
  let node = root;
  let offset = root.valueOffset ?? 0;
  for (const segment of path) {
    const child = node.children.get(segment);
    if (child === undefined || child.valueOffset === null) return offset;
    node = child;
    offset = child.valueOffset;
  }
  return at === 'key' ? (node.keyOffset ?? offset) : offset;
}

/** A place in a file as editors count it: from 1, columns in UTF-16 code units. */
export interface Place {
  line: number;
  column: number;
}

/** Places of the offsets, in their order; one pass over the text for all of them. */
export function placesOf(text: string, offsets: readonly number[]): Place[] {
  const places: Place[] = offsets.map(() => ({ line: 1, column: 1 }));
  const order = offsets.map((offset, index) => ({ offset, index })).toSorted((a, b) => a.offset - b.offset);
  let line = 1;
  let start = 0;
  let end = text.indexOf('\n');
  for (const { offset, index } of order) {
    while (end !== -1 && end < offset) {
      line++;
      start = end + 1;
      end = text.indexOf('\n', start);
    }
    places[index] = { line, column: offset - start + 1 };
  }
  return places;
}
