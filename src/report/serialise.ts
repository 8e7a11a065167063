import type { InlineCode, Nodes, Parents, Table, Text } from 'mdast';
import { gfmTableToMarkdown } from 'mdast-util-gfm-table';
import {
  defaultHandlers,
  type Handle,
  type Info,
  type Options,
  type State,
  toMarkdown,
  type Unsafe,
} from 'mdast-util-to-markdown';
import { columnsOf } from '../text/columns.ts';
import type { Block } from './nodes.ts';

/** Syntax of GitHub's Markdown beyond CommonMark that text could use by accident: ~~ and $. */
const unsafe: Unsafe[] = [
  { character: '~', inConstruct: 'phrasing' },
  { character: '$', inConstruct: 'phrasing' },
];

/** Bare addresses: GitHub links them whether or not they are escaped, so they are written as code. */
const ADDRESS = /((?:https?:\/\/|ftp:\/\/|www\.)\S+|[\w+.-]{1,64}@[\w-]+(?:\.[\w-]+)+)/i;

/** Tables up to this size are aligned, so that they also read well unrendered. */
const ALIGNED_ROWS = 40;
const ALIGNED_CELL = 80;

const aligned = gfmTableToMarkdown({ stringLength: columnsOf });
const compact = gfmTableToMarkdown({ tablePipeAlign: false });

const table: Handle = (node: Table, parent, state, info) => {
  return handlerOf(isSmall(node) ? aligned : compact, 'table')(node, parent, state, info);
};

/** Text without a character that has a meaning in Markdown at any position. */
const PLAIN = /^[A-Za-z0-9](?:(?:[A-Za-z0-9 ,;:%–-]|(?<=\d)\.(?=\d))*[A-Za-z0-9%])?$/;

/** Code without a backtick, a pipe or a line end, and with no space at its ends. */
const PLAIN_CODE = /^[^\s`|](?:[^\r\n`|]*[^\s`|])?$/;

const inlineCode = Object.assign<Handle, { peek: () => string }>(
  (node: InlineCode, parent, state, info) =>
    PLAIN_CODE.test(node.value)
      ? `\`${node.value}\``
      : handlerOf(compact, 'inlineCode')(node, parent, state, info),
  { peek: () => '`' },
);

/** The library's escaping takes most of a report's time, and most cells of a long table don't need it. */
const text: Handle = (node: Text, parent, state, info) => {
  if (PLAIN.test(node.value)) return node.value;
  if (ADDRESS.test(node.value)) return textWithAddresses(node.value, parent, state, info);
  return defaultHandlers.text(node, parent, state, info);
};

/** A space parts code from a backtick beside it, or the two would be one longer mark. */
function textWithAddresses(whole: string, parent: Parents | undefined, state: State, info: Info): string {
  let line = '';
  for (const [index, value] of whole.split(ADDRESS).entries()) {
    if (value === '') continue;
    const before = line === '' ? info.before : line.slice(-1);
    if (index % 2 === 0) {
      line += defaultHandlers.text({ type: 'text', value }, parent, state, { ...info, before, after: '`' });
    } else {
      if (before === '`') line += ' ';
      line += inlineCode({ type: 'inlineCode', value }, parent, state, info);
    }
  }
  return line.endsWith('`') && info.after === '`' ? `${line} ` : line;
}

const options: Options = {
  bullet: '-',
  listItemIndent: 'one',
  rule: '-',
  unsafe,
  extensions: [compact, { handlers: { inlineCode, table, text } }],
};

/** Blocks as Markdown (CommonMark with GitHub's tables), ended by a line feed. */
export function serialise(blocks: Block[]): string {
  return toMarkdown({ type: 'root', children: blocks }, options);
}

function isSmall(node: Table): boolean {
  return (
    node.children.length <= ALIGNED_ROWS &&
    node.children.every((row) => row.children.every((cell) => textLength(cell) <= ALIGNED_CELL))
  );
}

function textLength(node: Nodes): number {
  if ('value' in node) return node.value.length;
  return 'children' in node ? node.children.reduce((sum, child) => sum + textLength(child), 0) : 0;
}

function handlerOf(extension: Options, type: 'inlineCode' | 'table'): Handle {
  const handler = extension.handlers?.[type];
  if (handler === undefined || handler === null) throw new TypeError(`mdast-util-gfm-table has no ${type}`);
  return handler;
}
