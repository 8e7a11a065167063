/** Lines that are printed, of which only those in view are drawn: it follows their end until the reader scrolls up. */
import { useSignal } from '@preact/signals';
import { useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { Icon } from '../icons.tsx';
import { bytes, count, plural, shown } from '../model/format.ts';
import { queryWords } from '../model/rows.ts';
import { Words } from '../parts.tsx';
import { adjust, hrefOf, place } from '../state.ts';
import type { HeldLine, HeldLines, LinesNow } from './held-lines.ts';

/** Most characters of a line that are drawn. */
const LONGEST = 2000;

/** Height of a line in pixels, as in the style sheet. */
const LINE = 18;
const BEYOND = 20;

interface LinesProps {
  held: HeldLines;
  /** Whose lines they are, for those who don't see them. */
  label: string;
  /** Whether each line begins with the name of its workstream. */
  hasNames?: boolean;
  /** Said while there are none. */
  nothing: string;
}

export function LinesView({ held, label, hasNames = false, nothing }: LinesProps) {
  const log = held.now.value;
  const { lines, dropped, size, isOver } = log;
  const { query } = place.value;
  const box = useRef<HTMLDivElement>(null);
  const first = useSignal(0);
  const height = useSignal(600);
  const isAtEnd = useSignal(true);
  /** Where the box was scrolled to when it was looked at last. */
  const top = useRef(0);
  const seen = useRef(0);
  const chosen = useSignal(-1);
  const droppedBefore = useRef(dropped);
  const found = useMatches(log, query);

  const look = (): void => {
    const element = box.current;
    if (element === null) return;
    first.value = Math.max(0, Math.floor(element.scrollTop / LINE) - BEYOND);
    height.value = element.clientHeight;
    top.current = element.scrollTop;
    isAtEnd.value = endIsInView(element);
    if (isAtEnd.peek()) seen.current = dropped + lines.length;
  };
  // A browser says only with the next frame that the reader has scrolled: more lines may come before that.
  const isFollowing =
    box.current === null || box.current.scrollTop === top.current ? isAtEnd.value : endIsInView(box.current);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    if (isFollowing) element.scrollTop = element.scrollHeight;
    else if (dropped > droppedBefore.current) element.scrollTop -= (dropped - droppedBefore.current) * LINE;
    droppedBefore.current = dropped;
    look();
  }, [log]);

  const toEnd = (): void => {
    isAtEnd.value = true;
    if (box.current !== null) box.current.scrollTop = box.current.scrollHeight;
    look();
  };
  const toMatch = (by: 1 | -1): void => {
    if (found.length === 0) return;
    const next = (chosen.peek() + by + found.length) % found.length;
    chosen.value = next;
    isAtEnd.value = false;
    if (box.current !== null)
      box.current.scrollTop = Math.max(0, (found[next] ?? 0) * LINE - box.current.clientHeight / 2);
    look();
  };
  const end = Math.min(lines.length, first.value + Math.ceil(height.value / LINE) + 2 * BEYOND);
  const isMatch = new Set(found);
  const marked = found[chosen.value];
  const more = dropped + lines.length - seen.current;
  return (
    <section class="card logcard" aria-label="What it prints">
      <div class="filters">
        <input
          class="in"
          type="search"
          aria-label="Search in what is loaded"
          placeholder="Search in what is loaded"
          value={query}
          onInput={({ currentTarget }) => {
            chosen.value = -1;
            adjust({ query: currentTarget.value });
          }}
          onKeyDown={(event) => {
            if (event.key !== 'Enter') return;
            event.preventDefault();
            toMatch(event.shiftKey ? -1 : 1);
          }}
        />
        {query !== '' && (
          <>
            <span class="q2" role="status">
              {found.length === 0
                ? 'Nothing matches.'
                : `${chosen.value < 0 ? '' : `${count(chosen.value + 1)} of `}${plural(found.length, 'line')}`}
            </span>
            <button type="button" class="b" onClick={() => toMatch(-1)}>
              Previous
            </button>
            <button type="button" class="b" onClick={() => toMatch(1)}>
              Next
            </button>
          </>
        )}
        <span class="state">
          {isOver ? 'Nothing more is printed' : followedWords(held.connection.value, isAtEnd.value)}
          {size > 0 && `; ${bytes(size)}`}
          {(log.isEndOnly || dropped > 0) && `; loaded: the last ${plural(lines.length, 'line')}`}
        </span>
        <button type="button" class="b" aria-pressed={isAtEnd.value} onClick={toEnd}>
          <Icon glyph="down" />
          {!isAtEnd.value && more > 0 ? `To the end: ${plural(more, 'new line')}` : 'To the end'}
        </button>
      </div>
      <div
        class="logbox"
        ref={box}
        tabIndex={0}
        role="region"
        aria-label={label}
        onScroll={() => requestAnimationFrame(look)}
      >
        {lines.length === 0 && <p class="pad q2">{nothing}</p>}
        <svg class="sizer" width={1} height={Math.max(1, first.value * LINE)} aria-hidden="true" />
        {lines.slice(first.value, end).map((line, index) => {
          const at = first.value + index;
          return (
            <div
              key={dropped + at}
              class={at === marked ? 'll is-chosen' : isMatch.has(at) ? 'll is-match' : 'll'}
            >
              {hasNames && line.of !== '' && <NameOfLine id={line.of} />}
              <Marked text={drawn(line.text)} query={isMatch.has(at) ? query : ''} />
            </div>
          );
        })}
        <svg class="sizer" width={1} height={Math.max(1, (lines.length - end) * LINE)} aria-hidden="true" />
      </div>
    </section>
  );
}

function followedWords(connection: HeldLines['connection']['value'], isAtEnd: boolean): string {
  if (connection === 'none') return 'Connecting';
  if (connection === 'lost') return 'The connection is lost, and is being made again';
  return isAtEnd ? 'Following' : 'Not following';
}

const endIsInView = ({ scrollTop, clientHeight, scrollHeight }: Element): boolean =>
  scrollTop + clientHeight >= scrollHeight - LINE;

/** Leads to the log of that workstream alone. Not a stop of the Tab key: there may be thousands, of few workstreams. */
function NameOfLine({ id }: { id: string }) {
  return (
    <>
      <a class="of" href={hrefOf({ kind: 'log', id })} tabIndex={-1}>
        <Words text={id} length={40} />
      </a>{' '}
    </>
  );
}

function drawn(line: string): string {
  const text = shown(line.length > LONGEST ? line.slice(0, LONGEST) : line).replaceAll('\n', ' ');
  const left = line.length - LONGEST;
  return left > 0 ? `${text}… ${count(left)} more characters` : text === '' ? '\u00a0' : text;
}

/** Numbers of the lines that have every word. Of lines that were looked at before only the last may have changed. */
function useMatches({ lines, dropped }: LinesNow, query: string): readonly number[] {
  const before = useRef({ query: '', found: NONE, dropped: 0, looked: 0, last: lines.at(-1) });
  return useMemo(() => {
    const { current } = before;
    const gone = dropped - current.dropped;
    const isSame = current.query === query && lines[current.looked - gone - 1] === current.last;
    const from = isSame ? Math.max(0, current.looked - gone - 1) : 0;
    const known = isSame ? current.found.map((at) => at - gone).filter((at) => at >= 0 && at < from) : [];
    const found = queryWords(query).length === 0 ? NONE : [...known, ...matchesFrom(lines, from, query)];
    before.current = { query, found, dropped, looked: lines.length, last: lines.at(-1) };
    return found;
  }, [lines, dropped, query]);
}

const NONE: readonly number[] = [];

function matchesFrom(lines: readonly HeldLine[], from: number, query: string): number[] {
  const words = queryWords(query);
  return lines.slice(from).flatMap((line, index) => {
    const text = `${line.of} ${line.text}`.toLowerCase();
    return words.every((word) => text.includes(word)) ? [from + index] : [];
  });
}

/** A text with the first word that is searched for marked where it first is. */
function Marked({ text, query }: { text: string; query: string }) {
  const [word] = queryWords(query);
  const at = word === undefined ? -1 : text.toLowerCase().indexOf(word);
  if (word === undefined || at < 0) return <>{text}</>;
  return (
    <>
      {text.slice(0, at)}
      <mark>{text.slice(at, at + word.length)}</mark>
      {text.slice(at + word.length)}
    </>
  );
}
