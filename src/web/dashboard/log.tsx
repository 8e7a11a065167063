/** What a workstream prints, followed while it does. Only the end of a long log is held, and of that only what is in view drawn. */
import { signal, useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import type { LogEvents } from '../../domain/dashboard/answers.ts';
import { Icon } from '../icons.tsx';
import { bytes, count, oneLine, plural, shown } from '../model/format.ts';
import { queryWords } from '../model/rows.ts';
import { Words, WorkstreamLink } from '../parts.tsx';
import { adjust, place } from '../state.ts';
import { pathOfRun } from './client.ts';
import { type LostSince, Stream } from './streams.ts';

/** Most lines that are held, and most characters in them; the oldest are dropped first. */
const MOST_LINES = 50_000;
const MOST_CHARACTERS = 8_000_000;

/** Most characters of a line that are drawn. */
const LONGEST = 2000;

const REDRAW_MS = 250;

/** Height of a line in pixels, as in the style sheet. */
const LINE = 18;
const BEYOND = 20;

interface LogNow {
  lines: readonly string[];
  /** Lines that were dropped from the beginning of what was held. */
  dropped: number;
  /** Offsets in bytes of what is held. */
  from: number;
  to: number;
  isOver: boolean;
}

/** The end of a log, as far as it is held. */
class LogTail {
  readonly now = signal<LogNow>({ lines: [], dropped: 0, from: 0, to: 0, isOver: false });
  readonly #stream: Stream;
  #lines: string[] = [''];
  #characters = 0;
  #dropped = 0;
  #from: number | null = null;
  #to = 0;
  #isOver = false;
  #drawing: ReturnType<typeof setTimeout> | undefined;

  constructor(runId: string, id: string, onLost: (since: LostSince) => void) {
    const address = `${pathOfRun(runId)}/logs/${encodeURIComponent(id)}/follow`;
    this.#stream = new Stream(address, {
      names: ['text', 'reset', 'over'],
      parameter: 'from',
      isOwn: true,
      onEvent: (name, data) => this.#hear(name, data),
      onLost,
    });
    document.addEventListener('visibilitychange', this.#schedule);
    this.#stream.from(null);
  }

  close(): void {
    this.#stream.close();
    clearTimeout(this.#drawing);
    document.removeEventListener('visibilitychange', this.#schedule);
  }

  #hear(name: string, data: string): void {
    if (name === 'text') this.#add(JSON.parse(data));
    else if (name === 'reset') this.#clear('— The log begins anew: another attempt. —');
    else {
      this.#isOver = true;
      this.#stream.close();
    }
    this.#schedule();
  }

  #add({ from, to, text }: LogEvents['text']): void {
    if (to <= this.#to && this.#from !== null) return;
    if (this.#from === null) this.#from = from;
    else if (from > this.#to) this.#clear(`— ${bytes(from - this.#to)} were left out here. —`);
    this.#isOver = false;
    this.#to = to;
    const [first = '', ...others] = text.split('\n');
    this.#lines[this.#lines.length - 1] += first;
    for (const line of others) this.#lines.push(line);
    this.#characters += text.length;
    this.#bound();
  }

  #clear(note: string): void {
    this.#lines = [note, ''];
    this.#characters = note.length;
    this.#dropped = 0;
    this.#from = this.#to = 0;
  }

  /** Drops the oldest lines, many at a time. */
  #bound(): void {
    if (this.#lines.length <= MOST_LINES && this.#characters <= MOST_CHARACTERS) return;
    let drop = Math.max(0, this.#lines.length - (MOST_LINES * 3) / 4);
    let characters = this.#characters;
    for (let index = 0; index < drop; index++) characters -= (this.#lines[index]?.length ?? 0) + 1;
    while (characters > (MOST_CHARACTERS * 3) / 4 && drop < this.#lines.length - 1)
      characters -= (this.#lines[drop++]?.length ?? 0) + 1;
    this.#lines.splice(0, drop);
    this.#characters = characters;
    this.#dropped += drop;
    const [only] = this.#lines;
    if (this.#lines.length === 1 && only !== undefined && only.length > MOST_CHARACTERS)
      this.#lines[0] = only.slice(-MOST_CHARACTERS / 2);
  }

  readonly #schedule = (): void => {
    if (this.#drawing !== undefined || document.hidden) return;
    this.#drawing = setTimeout(() => {
      this.#drawing = undefined;
      const lines = this.#lines.at(-1) === '' ? this.#lines.slice(0, -1) : [...this.#lines];
      this.now.value = {
        lines,
        dropped: this.#dropped,
        from: this.#from ?? 0,
        to: this.#to,
        isOver: this.#isOver,
      };
    }, REDRAW_MS);
  };
}

interface LogProps {
  runId: string;
  id: string;
  title: string;
  onLost: (since: LostSince) => void;
}

export function LogPage({ runId, id, title, onLost }: LogProps) {
  const tail = useRef<LogTail | null>(null);
  const started = useSignal(false);
  useEffect(() => {
    tail.current = new LogTail(runId, id, onLost);
    started.value = true;
    return () => {
      tail.current?.close();
      started.value = false;
    };
  }, [runId, id]);
  return (
    <>
      <div class="hello">
        <h1>
          Log of <Words text={title} length={160} />
        </h1>
        <p class="q2">
          <WorkstreamLink id={id} title="All that is known of it" class="" />
        </p>
      </div>
      {started.value && tail.current !== null && <LogView tail={tail.current} id={id} />}
    </>
  );
}

function LogView({ tail, id }: { tail: LogTail; id: string }) {
  const log = tail.now.value;
  const { lines, dropped, to, isOver } = log;
  const { query } = place.value;
  const box = useRef<HTMLDivElement>(null);
  const first = useSignal(0);
  const height = useSignal(600);
  const isAtEnd = useSignal(true);
  const seen = useRef(0);
  const chosen = useSignal(-1);
  const droppedBefore = useRef(dropped);
  const found = useMemo(() => matchesOf(lines, query), [lines, query]);

  const look = (): void => {
    const element = box.current;
    if (element === null) return;
    first.value = Math.max(0, Math.floor(element.scrollTop / LINE) - BEYOND);
    height.value = element.clientHeight;
    isAtEnd.value = element.scrollTop + element.clientHeight >= element.scrollHeight - LINE;
    if (isAtEnd.peek()) seen.current = dropped + lines.length;
  };
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    if (isAtEnd.peek()) element.scrollTop = element.scrollHeight;
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
        <span class="grow" />
        <span class="q2">
          {isOver ? 'Nothing more is printed' : isAtEnd.value ? 'Following' : 'Not following'}
          {`; ${bytes(to)}`}
          {(log.from > 0 || dropped > 0) && `, of which the end is loaded: ${plural(lines.length, 'line')}`}
        </span>
        <button type="button" class="b" aria-pressed={isAtEnd.value} onClick={toEnd}>
          <Icon glyph="down" />
          {!isAtEnd.value && more > 0 ? `To the end: ${plural(more, 'new line')}` : 'To the end'}
        </button>
      </div>
      {lines.length === 0 && <p class="pad q2">It has printed nothing so far.</p>}
      <div
        class="logbox"
        ref={box}
        tabIndex={0}
        role="region"
        aria-label={`Log of ${oneLine(id, 80)}`}
        onScroll={() => requestAnimationFrame(look)}
      >
        <svg class="sizer" width={1} height={Math.max(1, first.value * LINE)} aria-hidden="true" />
        {lines.slice(first.value, end).map((line, index) => {
          const at = first.value + index;
          return (
            <div
              key={dropped + at}
              class={at === marked ? 'll is-chosen' : isMatch.has(at) ? 'll is-match' : 'll'}
            >
              <Marked text={drawn(line)} query={isMatch.has(at) ? query : ''} />
            </div>
          );
        })}
        <svg class="sizer" width={1} height={Math.max(1, (lines.length - end) * LINE)} aria-hidden="true" />
      </div>
    </section>
  );
}

function drawn(line: string): string {
  const text = shown(line.length > LONGEST ? line.slice(0, LONGEST) : line).replaceAll('\n', ' ');
  const left = line.length - LONGEST;
  return left > 0 ? `${text}… ${count(left)} more characters` : text === '' ? '\u00a0' : text;
}

/** Numbers of the lines that have every word. */
function matchesOf(lines: readonly string[], query: string): number[] {
  const words = queryWords(query);
  if (words.length === 0) return [];
  return lines.flatMap((line, index) => {
    const text = line.toLowerCase();
    return words.every((word) => text.includes(word)) ? [index] : [];
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
