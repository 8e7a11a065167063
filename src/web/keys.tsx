/** What the keys do, the list of them, and where they act: what has the focus. */
import { signal } from '@preact/signals';
import { Modal, type ModalRequest, openModal } from './modal.tsx';
import { backToRun, focusMain, place, switchTheme } from './state.ts';
import { actionsOf, moveWithin } from './table.tsx';

const KEYS: readonly (readonly [keys: readonly string[], does: string])[] = [
  [['/'], 'search'],
  [['j', 'k'], 'next, previous card or row'],
  [['o'], 'open the row, or the card’s page'],
  [['Enter'], 'go to its own page'],
  [['c'], 'copy its command'],
  [['p'], 'copy it as a prompt'],
  [['d'], 'dark or light'],
  [['?'], 'this list'],
  [['Esc'], 'close; back to the run'],
];

const TIMELINE_KEYS: readonly (readonly [keys: readonly string[], does: string])[] = [
  [['←', '→'], 'previous, next of the agent'],
  [['↑', '↓'], 'other agent at that time'],
  [['+', '−'], 'zoom'],
  [['0'], 'whole run'],
  [['Enter'], 'open'],
];

export function followKeys(): void {
  keepFocus();
  addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target instanceof HTMLElement ? event.target : document.body;
    // The focus stays in a dialog that was closed until the page is drawn again.
    if (target.closest('dialog[open]') !== null) return;
    if (target.matches('input, select, textarea')) return leaveField(event, target);
    if (act(event.key, target)) event.preventDefault();
  });
}

function leaveField(event: KeyboardEvent, field: HTMLElement): void {
  if (event.key === 'Escape' && !field.hasAttribute('aria-expanded')) focusMain();
}

type Focusable = HTMLElement | SVGElement;

const isFocusable = (element: Element): element is Focusable =>
  element instanceof HTMLElement || element instanceof SVGElement;

/** What had the focus last, and what is around it that can have it, from the inside out. */
let trail: readonly Focusable[] = [];

/**
 * Where what has the focus is taken from the page, as a button is once it has done what it says, a browser gives the focus to
 * nothing, and the next Tab begins at the top. What was around it gets the focus instead.
 */
function keepFocus(): void {
  addEventListener('focusin', ({ target }) => {
    trail = target instanceof Element ? focusableAround(target) : [];
  });
  const restore = (): void => {
    const [last, ...around] = trail;
    if (last === undefined || document.activeElement !== document.body || isShown(last)) return;
    trail = [];
    const next = around.find(isShown);
    if (next === undefined) focusMain();
    else next.focus({ preventScroll: true });
  };
  new MutationObserver(restore).observe(document.body, { childList: true, subtree: true });
  addEventListener('close', () => queueMicrotask(restore), { capture: true });
}

const isShown = (element: Element): boolean => element.isConnected && element.checkVisibility();

function focusableAround(target: Element): Focusable[] {
  const found: Focusable[] = [];
  for (let at: Element | null = target; at !== null; at = at.parentElement)
    if (isFocusable(at) && (at === target || at.hasAttribute('tabindex'))) found.push(at);
  return found;
}

/** Whether the key did something. */
function act(key: string, target: HTMLElement): boolean {
  switch (key) {
    case '/':
      return focusSearch();
    case 'j':
      return move(target, 1);
    case 'k':
      return move(target, -1);
    case 'o':
      return open(target);
    case 'Enter':
      return target.matches('[data-move]') && follow(target);
    case 'c':
      return copyCommand(target);
    case 'p':
      return press(target, 'p');
    case 'd':
      switchTheme();
      return true;
    case '?':
      openKeyHelp();
      return true;
    case 'Escape':
      return close();
    default:
      return false;
  }
}

function focusSearch(): boolean {
  const fields = [...document.querySelectorAll<HTMLInputElement>('[data-search], .filters input')];
  const field = fields.find((each) => each.offsetParent !== null);
  field?.focus();
  field?.select();
  return field !== undefined;
}

/** Cards and rows in the order of the page; within a box its own next row, which may not exist yet. */
function move(target: HTMLElement, by: 1 | -1): boolean {
  const current = target.closest<HTMLElement>('[data-move]');
  if (current !== null && moveWithin(current, by)) return true;
  const all = [...document.querySelectorAll<HTMLElement>('[data-move]')].filter(
    (each) => each.offsetParent !== null,
  );
  const at = current === null ? firstInView(all) - by : all.indexOf(current);
  const next = all[at + by];
  next?.focus();
  next?.scrollIntoView({ block: 'nearest' });
  return next !== undefined;
}

const firstInView = (all: readonly HTMLElement[]): number =>
  Math.max(
    0,
    all.findIndex((each) => each.getBoundingClientRect().bottom > 120),
  );

function open(target: HTMLElement): boolean {
  const current = target.closest('[data-move]');
  const action = current === null ? undefined : actionsOf(current);
  if (action?.open !== undefined) action.open();
  else return follow(target);
  return true;
}

function follow(target: HTMLElement): boolean {
  const link = target.closest('[data-move]')?.querySelector<HTMLAnchorElement>('a[href^="#/"]');
  link?.click();
  return link != null;
}

function copyCommand(target: HTMLElement): boolean {
  if (press(target, 'c')) return true;
  const row = target.closest('[data-move]');
  const command = row === null ? null : (actionsOf(row)?.command() ?? null);
  if (command === null) return false;
  void navigator.clipboard.writeText(command);
  return true;
}

function press(target: HTMLElement, key: string): boolean {
  const button = target.closest('[data-move]')?.querySelector<HTMLButtonElement>(`[data-key="${key}"]`);
  button?.click();
  return button != null;
}

function close(): boolean {
  const { view, run } = place.value;
  const isTop = view.kind === 'overview' ? view.name === 'runs' : view.kind === 'run' && run === null;
  if (!isTop) backToRun();
  return !isTop;
}

const keyHelp: ModalRequest = signal(0);
export const openKeyHelp = (): void => openModal(keyHelp);

/** The list of keys, once it is asked for. */
export function KeyHelp() {
  return (
    <Modal request={keyHelp} title="Keys">
      {() => (
        <>
          <KeyList keys={KEYS} />
          <h3>In the timeline</h3>
          <KeyList keys={TIMELINE_KEYS} />
          <form method="dialog">
            <button type="submit" class="b">
              Close
            </button>
          </form>
        </>
      )}
    </Modal>
  );
}

function KeyList({ keys }: { keys: typeof KEYS }) {
  return (
    <ul class="keygrid">
      {keys.map(([names, does]) => (
        <li key={does}>
          <span>{does}</span>
          <span>
            {names.map((name) => (
              <kbd key={name}>{name}</kbd>
            ))}
          </span>
        </li>
      ))}
    </ul>
  );
}
