/**
 * The state of the page is the fragment of its address, so that every view can be sent to somebody, reloaded and left by
 * Back: `#/needs`, `#/done?q=auth&state=failed&sort=-took`, `#/timeline?t=10-25.5`, `#/workstream/ws-1`, `#/pattern/p-1`.
 */

const SECTIONS = [
  'verdict',
  'needs',
  'done',
  'results',
  'compared',
  'tests',
  'timeline',
  'graph',
  'agents',
  'environment',
] as const;
export type PageSection = (typeof SECTIONS)[number];

/** Which page is shown. */
export type PageView =
  | { kind: 'run'; section: PageSection }
  | { kind: 'workstream'; id: string }
  | { kind: 'pattern'; id: string };

export interface Sort {
  column: string;
  descending: boolean;
}

export interface PagePlace {
  view: PageView;
  /** Words that are searched for. */
  query: string;
  /** Only workstreams in one of these states; all where it is empty. */
  states: readonly string[];
  /** Null for the order of what needs a person most. */
  sort: Sort | null;
  /** The same of the table of results; null for its own order. */
  resultsSort: Sort | null;
  /** The window of the timeline in seconds since the start of the run; null for the whole run. */
  time: readonly [number, number] | null;
  /** Ids of the rows that are open. */
  open: readonly string[];
  /** Whether lists that are cut at first are whole. */
  all: boolean;
  /** Whether the graph shows every workstream. */
  wholeGraph: boolean;
  /** Columns on the axes of the chart of results; null for its own choice. */
  x: string | null;
  y: string | null;
}

/** The page as it is opened without a fragment. */
export const START: PagePlace = {
  view: { kind: 'run', section: 'verdict' },
  query: '',
  states: [],
  sort: null,
  resultsSort: null,
  time: null,
  open: [],
  all: false,
  wholeGraph: false,
  x: null,
  y: null,
};

/** The place that a fragment names. What it can't mean is left out: a page never fails because of its address. */
export function parsePlace(fragment: string): PagePlace {
  const [path, query] = splitOnce(fragment.replace(/^#/, ''), '?');
  const given = new URLSearchParams(query);
  return {
    view: parseView(path),
    query: given.get('q') ?? '',
    states: words(given.get('state')),
    sort: parseSort(given.get('sort')),
    resultsSort: parseSort(given.get('by')),
    time: parseTime(given.get('t')),
    open: given.getAll('open'),
    all: given.has('all'),
    wholeGraph: given.has('graph'),
    x: given.get('x'),
    y: given.get('y'),
  };
}

/** The fragment of a place, with `#`. What is as in `START` is not in it. */
export function formatPlace(place: PagePlace): string {
  const query = new URLSearchParams();
  if (place.query !== '') query.set('q', place.query);
  if (place.states.length > 0) query.set('state', place.states.join(','));
  if (place.sort !== null) query.set('sort', formatSort(place.sort));
  if (place.resultsSort !== null) query.set('by', formatSort(place.resultsSort));
  if (place.time !== null) query.set('t', place.time.map((seconds) => Number(seconds.toFixed(4))).join('-'));
  for (const id of place.open) query.append('open', id);
  if (place.all) query.set('all', '1');
  if (place.wholeGraph) query.set('graph', '1');
  if (place.x !== null) query.set('x', place.x);
  if (place.y !== null) query.set('y', place.y);
  const text = query.toString();
  return `#/${formatView(place.view)}${text === '' ? '' : `?${text}`}`;
}

function parseView(path: string): PageView {
  const [first, rest] = splitOnce(path.replace(/^\//, ''), '/');
  if ((first === 'workstream' || first === 'pattern') && rest !== '')
    return { kind: first, id: decoded(rest) };
  const section = SECTIONS.find((name) => name === first);
  return { kind: 'run', section: section ?? 'verdict' };
}

const formatView = (view: PageView): string =>
  view.kind === 'run' ? (view.section === 'verdict' ? '' : view.section) : `${view.kind}/${encoded(view.id)}`;

function parseSort(text: string | null): Sort | null {
  if (text === null || text === '' || text === '-') return null;
  return text.startsWith('-')
    ? { column: text.slice(1), descending: true }
    : { column: text, descending: false };
}

const formatSort = ({ column, descending }: Sort): string => `${descending ? '-' : ''}${column}`;

function parseTime(text: string | null): [number, number] | null {
  const match = /^(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)$/.exec(text ?? '');
  if (match === null) return null;
  const [from, to] = [Number(match[1]), Number(match[2])];
  return to > from && Number.isFinite(to) ? [from, to] : null;
}

const words = (text: string | null): string[] => (text ?? '').split(',').filter((word) => word !== '');

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

/** `encodeURIComponent`, with � for halves of surrogate pairs, which have no encoding. */
const encoded = (text: string): string => encodeURIComponent(text.toWellFormed());

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
