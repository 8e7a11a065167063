/** What stands around every page: a bar on top, a rail beside, the list of keys, and what a screen reader is told. */
import type { ComponentChildren } from 'preact';
import { useLayoutEffect } from 'preact/hooks';
import { Brand, Icon } from './icons.tsx';
import { KeyHelp, openKeyHelp } from './keys.tsx';
import { count } from './model/format.ts';
import type { PageView } from './model/place.ts';
import { announcement, hrefOf, place, reading, switchTheme } from './state.ts';

export interface RailEntry {
  view: PageView;
  title: string;
  note?: number;
  isBad?: boolean;
}

interface FrameProps {
  /** Where the brand leads, and what that is. */
  home: { href: string; name: string };
  crumbs: ComponentChildren;
  /** In the bar, before the buttons that every page has. */
  tools: ComponentChildren;
  rail: { label: string; entries: readonly RailEntry[] };
  children: ComponentChildren;
}

export function Frame({ home, crumbs, tools, rail, children }: FrameProps) {
  return (
    <>
      <header class="top">
        <a class="skip-link" href={home.href} onClick={skipToMain}>
          To the content
        </a>
        <a class="brand" href={home.href} aria-label={`Millrace, to ${home.name}`}>
          <Brand />
          <b>Millrace</b>
        </a>
        <nav class="crumbs" aria-label="Where you are">
          {crumbs}
        </nav>
        <span class="grow" />
        {tools}
        <button type="button" class="b icon quiet" aria-label="Dark or light" onClick={switchTheme}>
          <Icon glyph="theme" />
        </button>
        <button type="button" class="b icon quiet" aria-label="Keys" onClick={openKeyHelp}>
          ?
        </button>
      </header>
      <div class="sr" role="status">
        {announcement.value}
      </div>
      <div class="frame">
        <Rail {...rail} />
        <main id="main" tabIndex={-1}>
          {children}
        </main>
      </div>
      <KeyHelp />
    </>
  );
}

/** The links of the page are places; this one is a place on it. */
function skipToMain(event: Event): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}

function Rail({ label, entries }: FrameProps['rail']) {
  useReading(entries);
  return (
    <nav class="rail" aria-label={label}>
      <ol>
        {entries.map(({ view, title, note, isBad }) => (
          <li key={title}>
            <a href={hrefOf(view)} aria-current={isShown(view) ? 'true' : undefined}>
              {title}
              {note !== undefined && note > 0 && (
                <span class={isBad === true ? 'c bad' : 'c'}>{count(note)}</span>
              )}
            </a>
          </li>
        ))}
      </ol>
      <div class="keys" aria-hidden="true">
        <span>
          <kbd>/</kbd> search
        </span>
        <span>
          <kbd>j</kbd> <kbd>k</kbd> next, previous
        </span>
        <span>
          <kbd>c</kbd> copy command
        </span>
        <span>
          <kbd>?</kbd> all keys
        </span>
      </div>
    </nav>
  );
}

/** Of sections of one page the one that is being read. */
function isShown(entry: PageView): boolean {
  const { view } = place.value;
  if (entry.kind === 'run') return view.kind === 'run' && reading.value === entry.section;
  if (entry.kind === 'logs') return view.kind === 'logs';
  if (entry.kind !== 'overview') return false;
  return view.kind === 'history'
    ? view.of === entry.name
    : view.kind === 'overview' && view.name === entry.name;
}

/** Notes which section is at the top of the window: the first, until the browser says that the reader has scrolled. */
function useReading(entries: readonly RailEntry[]): void {
  useLayoutEffect(() => void (reading.value = 'verdict'), []);
  // Not `useEffect`, which may come after the page was scrolled to what its address names.
  useLayoutEffect(() => {
    const sections = entries.flatMap(({ view }) => (view.kind === 'run' ? [view.section] : []));
    if (sections.length === 0) return undefined;
    let isScheduled = false;
    const look = (): void => {
      isScheduled = false;
      const passed = sections.filter(
        (id) => (document.getElementById(id)?.getBoundingClientRect().top ?? Infinity) < 160,
      );
      const atEnd = scrollY + innerHeight >= document.documentElement.scrollHeight - 4 && scrollY > 0;
      reading.value = (atEnd ? sections.at(-1) : passed.at(-1)) ?? 'verdict';
    };
    const onScroll = (): void => {
      if (isScheduled) return;
      isScheduled = true;
      requestAnimationFrame(look);
    };
    addEventListener('scroll', onScroll, { passive: true });
    return () => removeEventListener('scroll', onScroll);
  }, [entries]);
}
