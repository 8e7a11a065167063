/** What the reader has chosen: the place, which is the address's fragment, and the colours. */
import { effect, signal } from '@preact/signals';
import {
  formatPlace,
  isOverall,
  type PagePlace,
  type PageSection,
  type PageView,
  parsePlace,
  type RunView,
  START,
} from './model/place.ts';

export const place = signal<PagePlace>(START);

/** The section of the run's page that is being read. */
export const reading = signal<PageSection>('verdict');

/** What a screen reader is told: the last thing that happened and can't be seen to happen. */
export const announcement = signal('');

/** How long small changes, such as letters that are typed, are gathered before they are in the address. */
const GATHER_MS = 250;

let pending: ReturnType<typeof setTimeout> | undefined;
/** Where the reader was on a page: how far down, and on which card or row, counted from the first; -1 for none. */
interface Spot {
  top: number;
  row: number;
}
/** By fragment. */
const spots = new Map<string, Spot>();
/** The place on the run's page that was left last. */
let leftRun: PagePlace | null = null;
let fragment = '';
/** Whether the address may be one of several runs. */
let isDashboard = false;

/** Follows the address from now on. @param hasRuns whether this is the dashboard. */
export function followAddress(hasRuns = false): void {
  history.scrollRestoration = 'manual';
  isDashboard = hasRuns;
  fragment = location.hash;
  place.value = parsePlace(fragment, isDashboard);
  followMoves();
  // Not `hashchange`, which comes later: what is gathered would be written over the place that Back has led to by then.
  addEventListener('popstate', () => {
    if (location.hash === fragment) return;
    clearTimeout(pending);
    pending = undefined;
    remember();
    fragment = location.hash;
    place.value = parsePlace(fragment, isDashboard);
    arrive();
  });
  addEventListener('click', followLink);
  if (place.value.view.kind === 'run' && place.value.view.section !== 'verdict')
    afterPaint(() => scrollToPlace(place.value.view));
}

/**
 * A link within the page keeps what is filtered and sorted of the run, and its step can be undone by Back; a link to another
 * run does not, as filters are of one run.
 */
function followLink(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey)
    return;
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  const href = link?.getAttribute('href') ?? '';
  if (!href.startsWith('#/')) return;
  event.preventDefault();
  const next = parsePlace(href, isDashboard);
  const isSameRun = next.run === place.value.run && !isOverall(next.view) && !isOverall(place.value.view);
  visit(isSameRun ? { view: next.view } : next);
}

/** Goes to another page, or another section of it, and to where it begins. */
export function visit(change: Partial<PagePlace> & Pick<PagePlace, 'view'>): void {
  go(change);
  scrollToPlace(change.view);
}

/** Goes to another place: one step for Back. */
export function go(change: Partial<PagePlace>): void {
  noteChanges();
  remember();
  place.value = { ...place.value, ...change };
  const next = formatPlace(place.value);
  if (next === fragment) return;
  fragment = next;
  location.hash = next;
}

/** A small change of the place that is no step of its own. */
export function adjust(change: Partial<PagePlace>): void {
  place.value = { ...place.value, ...change };
  clearTimeout(pending);
  pending = setTimeout(noteChanges, GATHER_MS);
}

/** Puts small changes into the address. Not by `location.replace`, which cancels a Back that is under way. */
function noteChanges(): void {
  if (pending === undefined) return;
  clearTimeout(pending);
  pending = undefined;
  fragment = formatPlace(place.value);
  history.replaceState(null, '', fragment);
}

/** Goes back to where the reader was on the run's page; from there, on the dashboard, to the runs. */
export function backToRun(): void {
  const { view, run } = place.value;
  if (view.kind === 'run') {
    if (isDashboard) go({ ...START, view: { kind: 'overview', name: 'runs' } });
  } else if (isOverall(view))
    go({ ...START, view: { kind: 'overview', name: view.kind === 'history' ? view.of : 'runs' } });
  else go(leftRun?.run === run ? leftRun : { view: { kind: 'run', section: 'verdict' } });
  arrive();
}

function remember(): void {
  if (place.value.view.kind === 'run') leftRun = place.value;
  const focused = document.activeElement?.closest('[data-move]');
  spots.set(fragment, { top: scrollY, row: focused == null ? -1 : cardsAndRows().indexOf(focused) });
}

/** Where the reader was on this page before; otherwise what the place names. */
function arrive(): void {
  const spot = spots.get(fragment);
  if (spot === undefined) return scrollToPlace(place.value.view);
  afterPaint(() => {
    scrollTo(0, spot.top);
    focus(cardsAndRows()[spot.row] ?? document.querySelector('main'));
  });
}

function focus(target: Element | null): void {
  if (target instanceof HTMLElement) target.focus({ preventScroll: true });
}

const cardsAndRows = (): Element[] => [...document.querySelectorAll('[data-move]')];

function scrollToPlace(view: PageView): void {
  const section = (): Element | null =>
    view.kind === 'run' && view.section !== 'verdict' ? document.getElementById(view.section) : null;
  if (section() === null) scrollTo(0, 0);
  afterPaint(() => {
    const target = section();
    target?.scrollIntoView();
    focus(target ?? document.querySelector('main'));
  });
}

/** How many lists of sections are not drawn to their end. */
let unfinished = 0;

/** Notes that sections are still to be drawn, until what it returns is called. */
export function drawingGoesOn(): () => void {
  unfinished += 1;
  let isOver = false;
  return () => {
    if (!isOver) unfinished -= 1;
    isOver = true;
  };
}

/** Gives the focus to the content, where nothing in it has it. */
export function focusMain(): void {
  document.getElementById('main')?.focus({ preventScroll: true });
}

/** How often the reader has come to another place, or has scrolled. */
let moves = 0;

const SCROLLING = new Set(['PageDown', 'PageUp', 'Home', 'End', 'ArrowDown', 'ArrowUp', ' ']);

/** Notes that the reader scrolls. A wheel that is turned sideways may be the gesture that leads back. */
function followMoves(): void {
  const move = (): void => void (moves += 1);
  addEventListener('wheel', ({ deltaX, deltaY }) => Math.abs(deltaY) > Math.abs(deltaX) && move(), {
    passive: true,
  });
  addEventListener('touchmove', move, { passive: true });
  addEventListener('keydown', ({ key }) => SCROLLING.has(key) && move());
}

/**
 * Calls back when what was changed just now has been drawn, which may take seconds; not where the reader has gone on by then:
 * to another place, up or down, or with the focus to something else, such as a field.
 */
function afterPaint(callback: () => void): void {
  const move = ++moves;
  const before = document.activeElement;
  const hasFocused = (): boolean => {
    const now = document.activeElement;
    return now !== before && now !== document.body && now !== null && now.id !== 'main';
  };
  const later = (): void => {
    requestAnimationFrame(() =>
      setTimeout(() => {
        if (move !== moves || hasFocused()) return;
        if (unfinished > 0) later();
        else callback();
      }),
    );
  };
  later();
}

type Theme = 'system' | 'light' | 'dark';

const theme = signal<Theme>('system');

/** The address of a page of the run that is shown, or of what is shown over all runs. */
export const hrefOf = (view: PageView): string =>
  formatPlace({ ...START, run: isOverall(view) ? null : place.value.run, view });

/** The address of a page of any run of the dashboard. */
export const hrefInRun = (run: string, view: RunView = START_VIEW): string =>
  formatPlace({ ...START, run, view });

const START_VIEW: RunView = { kind: 'run', section: 'verdict' };

const THEME_KEY = 'millrace-theme';

/** Applies the theme, and remembers it where the browser lets a page of this origin do so. */
export function followTheme(): void {
  const stored = storage()?.getItem(THEME_KEY);
  if (stored === 'light' || stored === 'dark') theme.value = stored;
  effect(() => {
    if (theme.value === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = theme.value;
    storage()?.setItem(THEME_KEY, theme.value);
  });
}

/** Light, dark or, where that is what the system asks for already, back to the system's choice. */
export function switchTheme(): void {
  const systemIsDark = matchMedia('(prefers-color-scheme: dark)').matches;
  const isDark = theme.value === 'system' ? systemIsDark : theme.value === 'dark';
  const next = isDark ? 'light' : 'dark';
  theme.value = (next === 'dark') === systemIsDark ? 'system' : next;
}

/** Null where pages may not store anything, as in a sandboxed frame. */
function storage(): Storage | null {
  try {
    return localStorage;
  } catch {
    return null;
  }
}
