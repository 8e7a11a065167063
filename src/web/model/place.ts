/**
 * The state of the page is the fragment of its address, so that every view can be sent to somebody, reloaded and left by
 * Back: `#/needs`, `#/done?q=auth&state=failed&sort=-took`, `#/timeline?t=10-25.5`, `#/workstream/ws-1`, `#/pattern/p-1`.
 * The dashboard has the same of each run below `#/run/RUN`, and `#/runs`, `#/workstreams/ws-1`, `#/trends` beside them.
 */

export const SECTIONS = [
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
  'lanes',
] as const;
export type PageSection = (typeof SECTIONS)[number];

/** A page of one run. */
export type RunView =
  | { kind: 'run'; section: PageSection }
  | { kind: 'workstream'; id: string }
  | { kind: 'pattern'; id: string }
  | { kind: 'log'; id: string }
  /** What all workstreams print. */
  | { kind: 'logs' };

/** Pages of the dashboard that show more than one run. */
export const OVERVIEWS = ['runs', 'workstreams', 'patterns', 'trends', 'tools'] as const;
export type OverviewName = (typeof OVERVIEWS)[number];

/** What is shown over all runs: lists, and the history of one workstream or one error. */
type OverallView =
  | { kind: 'overview'; name: OverviewName }
  | { kind: 'history'; of: 'workstreams' | 'patterns'; id: string };

/** Which page is shown. */
export type PageView = RunView | OverallView;

export const isOverall = (view: PageView): view is OverallView =>
  view.kind === 'overview' || view.kind === 'history';

export interface Sort {
  column: string;
  descending: boolean;
}

export interface PagePlace {
  /** The run on the dashboard that the view is of; null on the page of one run, and where the view is of all runs. */
  run: string | null;
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

/** The page of a run as it is opened without a fragment. */
export const START: PagePlace = {
  run: null,
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

/**
 * The place that a fragment names. What it can't mean is left out: a page never fails because of its address.
 * @param hasRuns whether this is the dashboard.
 */
export function parsePlace(fragment: string, hasRuns = false): PagePlace {
  const [path, query] = splitOnce(fragment.replace(/^#\/?/, ''), '?');
  const given = new URLSearchParams(query);
  return {
    ...(hasRuns ? parseDashboardPath(path) : { run: null, view: parseRunView(path) }),
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
  const path = [...(place.run === null ? [] : ['run', encoded(place.run)]), ...formatView(place.view)];
  return `#/${path.join('/')}${text === '' ? '' : `?${text}`}`;
}

function parseDashboardPath(path: string): Pick<PagePlace, 'run' | 'view'> {
  const [first, rest] = splitOnce(path, '/');
  if (first === 'run' && rest !== '') {
    const [run, inRun] = splitOnce(rest, '/');
    return { run: decoded(run), view: parseRunView(inRun) };
  }
  if ((first === 'workstreams' || first === 'patterns') && rest !== '')
    return { run: null, view: { kind: 'history', of: first, id: decoded(rest) } };
  const name = OVERVIEWS.find((each) => each === first);
  return { run: null, view: { kind: 'overview', name: name ?? 'runs' } };
}

function parseRunView(path: string): RunView {
  const [first, rest] = splitOnce(path, '/');
  if ((first === 'workstream' || first === 'pattern' || first === 'log') && rest !== '')
    return { kind: first, id: decoded(rest) };
  if (first === 'logs') return { kind: 'logs' };
  const section = SECTIONS.find((name) => name === first);
  return { kind: 'run', section: section ?? 'verdict' };
}

function formatView(view: PageView): string[] {
  switch (view.kind) {
    case 'run':
      return view.section === 'verdict' ? [] : [view.section];
    case 'logs':
      return ['logs'];
    case 'overview':
      return [view.name];
    case 'history':
      return [view.of, encoded(view.id)];
    case 'workstream':
    case 'pattern':
    case 'log':
      return [view.kind, encoded(view.id)];
  }
}

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
