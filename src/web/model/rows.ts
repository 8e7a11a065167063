/** Which workstreams a table lists, and in which order. Looks at the data, never at what is drawn. */
import type { PageWorkstream } from '../../domain/page-document.ts';
import type { Sort } from './place.ts';
import { type EndMark, MARK_WORDS, MARKS, markOf, type Run } from './run.ts';

/** What can be asked for in `state=`; `retried` are those that completed, and that failed, after several attempts. */
export const STATES = ['failed', 'odd', 'conflict', 'wait', 'skipped', 'retried', 'completed'] as const;
export type State = (typeof STATES)[number];

const isIn: Record<State, (mark: EndMark, workstream: PageWorkstream) => boolean> = {
  failed: (mark) => mark === 'failed',
  odd: (mark) => mark === 'odd',
  conflict: (mark) => mark === 'conflict',
  wait: (mark) => mark === 'wait',
  skipped: (mark) => mark === 'skipped',
  retried: (_, { attemptCount }) => attemptCount > 1,
  completed: (mark) => mark === 'completed' || mark === 'retried',
};

export const STATE_WORDS: Record<State, string> = { ...MARK_WORDS, retried: 'retried' };

export const isInState = (workstream: PageWorkstream, state: State): boolean =>
  isIn[state](markOf(workstream), workstream);

/** What words are searched in; made once for each workstream. */
const texts = new WeakMap<PageWorkstream, string>();

function textOf(run: Run, workstream: PageWorkstream): string {
  const known = texts.get(workstream);
  if (known !== undefined) return known;
  const { id, title, kind, reason, explanation, patternId, agentId, tool, model, tail, branch } = workstream;
  const pattern = patternId === null ? undefined : run.patterns.get(patternId);
  const cells = Object.entries(workstream.matrix ?? {}).map(
    ([name, value]) => `${name}=${typeof value === 'object' ? JSON.stringify(value) : String(value)}`,
  );
  const text = [
    id,
    title,
    kind,
    reason,
    explanation,
    pattern?.telling,
    patternId,
    agentId,
    tool,
    model,
    branch,
    tail,
    ...cells,
  ]
    .join('\n')
    .toLowerCase();
  texts.set(workstream, text);
  return text;
}

/** Whether every word of the query is somewhere in what is known of the workstream; `level=9` asks for a value of its matrix. */
export function matches(run: Run, workstream: PageWorkstream, query: string): boolean {
  const words = queryWords(query);
  if (words.length === 0) return true;
  const text = textOf(run, workstream);
  return words.every((word) =>
    word.includes('=')
      ? `\n${text}\n`.includes(`\n${word}\n`) || text.includes(`"${word}`)
      : text.includes(word),
  );
}

export const queryWords = (query: string): string[] => query.toLowerCase().split(/\s+/).filter(Boolean);

export interface Asked {
  query: string;
  states: readonly string[];
  sort: Sort | null;
}

/** The workstreams that were asked for, in the order that was asked for. */
export function rowsOf(run: Run, { query, states, sort }: Asked): PageWorkstream[] {
  const wanted = STATES.filter((state) => states.includes(state));
  const found = run.workstreams.filter(
    (each) =>
      (wanted.length === 0 || wanted.some((state) => isInState(each, state))) && matches(run, each, query),
  );
  return ordered(run, found, sort);
}

export type SortKey = string | number | null;

/** What can be sorted by. */
const COLUMNS: Record<string, (workstream: PageWorkstream, run: Run) => SortKey> = {
  state: (each) => MARKS.indexOf(markOf(each)),
  title: (each) => (each.title === '' ? each.id : each.title),
  id: (each) => each.id,
  agent: (each) => each.agentId,
  tool: (each) => each.tool,
  attempts: (each) => each.attemptCount,
  took: (each) => each.seconds,
  start: (each, run) => run.secondsAt(each.start),
  cost: (each) => each.cost,
  lines: ({ changes }) =>
    changes === null || changes.linesAdded === null ? null : changes.linesAdded + (changes.linesRemoved ?? 0),
  tests: (each) => each.tests.filter(({ status }) => status === 'failed').length,
  reason: (each) => each.reason,
};

/** By the column; of what needs a person most first, where none is asked for. What is not known comes last. */
function ordered(run: Run, found: PageWorkstream[], sort: Sort | null): PageWorkstream[] {
  const column = Object.hasOwn(COLUMNS, sort?.column ?? 'state') ? (sort?.column ?? 'state') : 'state';
  const keyOf = COLUMNS[column];
  if (keyOf === undefined) return found;
  const direction = sort?.descending === true ? -1 : 1;
  return found
    .map((each) => ({ each, key: keyOf(each, run) }))
    .toSorted((a, b) => compareKeys(a.key, b.key, direction))
    .map(({ each }) => each);
}

let collator: Intl.Collator | null = null;

/**
 * Compares texts with the numbers in them as numbers, the same for every reader: an address leads all to one order. The
 * collator is made when it is first needed, as that takes 5 ms.
 */
export function byNumber(one: string, other: string): number {
  collator ??= new Intl.Collator('en', { numeric: true });
  return collator.compare(one, other);
}

/** Numbers and texts as they are read; null last, in either direction. */
export function compareKeys(a: SortKey, b: SortKey, direction: 1 | -1): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  const order = typeof a === 'number' && typeof b === 'number' ? a - b : byNumber(String(a), String(b));
  return order * direction;
}
