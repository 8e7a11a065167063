/** What all views are made of. Text of workstreams comes in by `Words` or `shown`, and only ever as text nodes. */
import { useSignal } from '@preact/signals';
import type { ComponentChildren, RefObject } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { BADGE_GLYPHS, type Glyph, Icon, MARK_GLYPHS } from './icons.tsx';
import { agentParts, localTime, oneLine, shown, utcTime, withCode } from './model/format.ts';
import type { Badge } from './model/needs.ts';
import type { PageSection } from './model/place.ts';
import { MARK_WORDS, type WorkMark } from './model/run.ts';
import { announcement, hrefOf, place } from './state.ts';

/** The class of a mark's colours. */
export const TONE_OF_MARK: Record<WorkMark, string> = {
  running: 'run',
  completed: 'done',
  retried: 'done',
  failed: 'fail',
  odd: 'odd',
  conflict: 'odd',
  wait: 'warn',
  skipped: 'skip',
};

/** How a workstream stands: glyph and word. */
export function MarkView({ mark }: { mark: WorkMark }) {
  return (
    <span class={`st ${TONE_OF_MARK[mark]}`}>
      <Icon glyph={MARK_GLYPHS[mark]} />
      <span>{MARK_WORDS[mark]}</span>
    </span>
  );
}

const BADGE_CLASS: Partial<Record<Badge, string>> = {
  new: 'new',
  regressed: 'regressed',
  flaky: 'flaky',
  recurring: 'recurring',
  'false success': 'odd',
  conflict: 'odd',
  'out of quota': 'wait',
};

export function BadgeView({ badge }: { badge: Badge }) {
  return (
    <span class={`badge ${BADGE_CLASS[badge] ?? 'plain'}`}>
      <Icon glyph={BADGE_GLYPHS[badge]} />
      {badge}
    </span>
  );
}

/** Text of a workstream on one line, isolated from the direction of what stands beside it. */
export function Words({ text, length = 300 }: { text: string; length?: number }) {
  return <bdi>{oneLine(text, length)}</bdi>;
}

/** The name of an agent. Where it has too little room that of its host is cut, as the rest tells its agents apart. */
export function AgentName({ agentId }: { agentId: string }) {
  const { host, name } = agentParts(agentId);
  if (host === null) return <Words text={name} length={60} />;
  return (
    <span class="agent" title={shown(agentId)}>
      <Words text={host} length={80} />
      <span>
        /<Words text={name} length={40} />
      </span>
    </span>
  );
}

/** A sentence with `code` between backticks. */
export function Prose({ text }: { text: string }) {
  const parts = withCode([shown(text)]);
  return (
    <>{parts.map(({ text: part, isCode }, index) => (isCode ? <code key={index}>{part}</code> : part))}</>
  );
}

/** What is said of a workstream, or by it, on one line, with `code` between backticks. */
export function Sentence({ text, length }: { text: string; length: number }) {
  return (
    <bdi>
      <Prose text={oneLine(text, length)} />
    </bdi>
  );
}

/** A time in the reader's own time zone, in UTC on hover. */
export function Time({ iso }: { iso: string }) {
  return (
    <time dateTime={iso} title={utcTime(iso)}>
      {localTime(iso)}
    </time>
  );
}

/** A link to a workstream's own page. */
export function WorkstreamLink({
  id,
  title,
  class: name = 'id',
}: {
  id: string;
  title?: string;
  class?: string;
}) {
  return (
    <a
      class={name}
      href={hrefOf({ kind: 'workstream', id })}
      title={title === undefined ? undefined : shown(title)}
    >
      <Words text={title ?? id} length={200} />
    </a>
  );
}

interface LogLinkProps {
  id: string;
  /** Its address beside the page. */
  log: string;
  children: ComponentChildren;
}

/** A link to what a workstream printed: a file beside the page, or a page of the dashboard. */
export function LogLink({ id, log, children }: LogLinkProps) {
  return place.value.run === null ? (
    <a href={log}>{children}</a>
  ) : (
    <a href={hrefOf({ kind: 'log', id })}>{children}</a>
  );
}

interface SectionProps {
  id: PageSection;
  title: string;
  /** Beside the title. */
  note?: ComponentChildren;
  /** At the end of the line. */
  actions?: ComponentChildren;
  children: ComponentChildren;
}

export function SectionView({ id, title, note, actions, children }: SectionProps) {
  return (
    <section id={id} tabIndex={-1} aria-labelledby={`${id}-title`}>
      <div class="section-head">
        <h2 id={`${id}-title`}>{title}</h2>
        {note !== undefined && <span class="sub">{note}</span>}
        <span class="grow" />
        {actions}
      </div>
      {children}
    </section>
  );
}

/** Nothing of this name is on the page. */
export function Missing({ what, id }: { what: string; id: string }) {
  return (
    <div class="card empty">
      <h1>
        No {what} <code>{oneLine(id, 100)}</code> on this page.
      </h1>
      <a class="b" href={hrefOf({ kind: 'run', section: 'verdict' })}>
        To the run
      </a>
    </div>
  );
}

interface BlockProps {
  title: string;
  note?: string;
  actions?: ComponentChildren;
  children: ComponentChildren;
}

/** A section of a page that no rail leads to. */
export function Block({ title, note = '', actions, children }: BlockProps) {
  return (
    <section aria-label={title}>
      <div class="section-head">
        <h2>{title}</h2>
        {note !== '' && <span class="sub">{note}</span>}
        <span class="grow" />
        {actions}
      </div>
      {children}
    </section>
  );
}

const COPIED_MS = 1600;

const SAID = { idle: '', copied: 'Copied', refused: 'Not allowed' };

interface CopyProps {
  /** Made when it is asked for, where that takes long. */
  text: string | (() => string);
  children: ComponentChildren;
  glyph?: Glyph;
  class?: string;
  /** The key that does the same while the focus is in the card or row. */
  shortcut?: 'c' | 'p';
  title?: string;
}

/** Copies a text, and says so. */
export function CopyButton({ text, children, glyph, class: name = 'b', shortcut, title }: CopyProps) {
  const state = useSignal<'idle' | 'copied' | 'refused'>('idle');
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const copy = async (): Promise<void> => {
    const copied = await copyText(typeof text === 'string' ? text : text());
    state.value = copied ? 'copied' : 'refused';
    announcement.value = SAID[state.value];
    clearTimeout(timer.current);
    timer.current = setTimeout(() => (state.value = 'idle'), COPIED_MS);
  };
  return (
    <button
      type="button"
      class={name}
      data-key={shortcut}
      data-state={state.value}
      title={title}
      onClick={() => void copy()}
    >
      {glyph !== undefined && <Icon glyph={state.value === 'copied' ? 'tick' : glyph} />}
      <span class="swap">
        <span>{children}</span>
        <span>{SAID[state.value]}</span>
      </span>
    </button>
  );
}

/** Whether the text is in the clipboard now. A page that may not use it directly asks the browser to copy a selection. */
async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const holder = document.createElement('textarea');
    holder.value = text;
    holder.className = 'sr';
    document.body.append(holder);
    holder.select();
    const copied = document.execCommand('copy');
    holder.remove();
    return copied;
  }
}

/** The step that runs a workstream once more. @param command null where it can't be typed. */
export function RunAgain({ command }: { command: string | null }) {
  return (
    <li>
      <p>
        <b>Run it again.</b>
      </p>
      {command !== null && <Command command={command} />}
    </li>
  );
}

/** A shell command below a heading; nothing where there is none. */
export function CommandBlock({ title, command }: { title: string; command: string | null }) {
  if (command === null) return null;
  return (
    <Block title={title}>
      <div class="card pad">
        <Command command={command} />
      </div>
    </Block>
  );
}

/** Longest command that is shown to its end. */
const COMMAND = 600;

/** A shell command, a long one cut, with a button that copies all of it. */
export function Command({ command }: { command: string }) {
  return (
    <div class="cmd">
      <code>
        <span class="p" aria-hidden="true">
          ${' '}
        </span>
        {command.length > COMMAND ? `${command.slice(0, COMMAND)}…` : command}
      </code>
      <CopyButton text={command} class="" shortcut="c">
        Copy<span class="sr"> command</span>
      </CopyButton>
    </div>
  );
}

/** A share of 0 to 1 as a bar. The number itself always stands beside it. */
export function Bar({ share, tone = 'done' }: { share: number; tone?: string }) {
  const width = Math.max(0, Math.min(1, share)) * 100;
  return (
    <svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
      <rect class="track" width={100} height={6} rx={1} />
      <rect class={`f-${tone}`} width={width} height={6} rx={1} />
    </svg>
  );
}

/** Lines of output; those that tell are marked. */
export function Lines({ lines }: { lines: readonly { text: string; hit: boolean }[] }) {
  return (
    <div class="tell" tabIndex={0} role="group" aria-label="What was printed">
      {lines.map(({ text, hit }, index) => (
        <span class={hit ? 'ln hit' : 'ln'} key={index}>
          {text === '' ? '\u00a0' : text}
        </span>
      ))}
    </div>
  );
}

/** Names and values under each other. */
export function Pairs({ pairs }: { pairs: readonly (readonly [name: string, value: ComponentChildren])[] }) {
  return (
    <dl class="kv">
      {pairs.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

type NamedValue = readonly [name: string, value: ComponentChildren];

/** Names and values in a line, below a verdict. What is null is left out. */
export function FactList({ facts }: { facts: readonly (NamedValue | null)[] }) {
  return (
    <dl class="facts">
      {facts.map(
        (fact) =>
          fact !== null && (
            <div key={fact[0]}>
              <dt>{fact[0]} </dt>
              <dd>{fact[1]}</dd>
            </div>
          ),
      )}
    </dl>
  );
}

interface ChoiceProps<T extends string> {
  label: string;
  value: T;
  choices: readonly (readonly [value: T, label: string])[];
  onChoice: (value: T) => void;
}

/** A few exclusive choices beside each other. */
export function Choice<T extends string>({ label, value, choices, onChoice }: ChoiceProps<T>) {
  return (
    <span class="seg" role="group" aria-label={label}>
      {choices.map(([choice, name]) => (
        <button type="button" key={choice} aria-pressed={choice === value} onClick={() => onChoice(choice)}>
          {name}
        </button>
      ))}
    </span>
  );
}

/** A reference for an element, and its width in pixels now; `first` until it is drawn. */
export function useWidth(first: number): [RefObject<HTMLDivElement | null>, number] {
  const element = useRef<HTMLDivElement>(null);
  const width = useSignal(first);
  useLayoutEffect(() => {
    const box = element.current;
    if (box === null) return;
    const measure = (): void => void (width.value = Math.max(280, box.clientWidth));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(box);
    return () => observer.disconnect();
  }, []);
  return [element, width.value];
}

const SPARK = { width: 160, height: 36 };

/** A series as a line with a dot at its end. Its last value always stands beside it. */
export function Sparkline({ points }: { points: readonly (readonly [x: number, y: number])[] }) {
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y).filter(Number.isFinite);
  const place = (value: number, all: readonly number[], size: number): number => {
    const [least, most] = [Math.min(...all), Math.max(...all)];
    return most > least ? ((value - least) / (most - least)) * (size - 6) + 3 : size / 2;
  };
  const drawn = points
    .filter(([, y]) => Number.isFinite(y))
    .map(([x, y]): [number, number] => [
      place(x, xs, SPARK.width),
      SPARK.height - place(y, ys, SPARK.height),
    ]);
  const last = drawn.at(-1);
  return (
    <svg class="spark" width={SPARK.width} height={SPARK.height} aria-hidden="true">
      <path
        d={drawn.map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`).join('')}
      />
      {last !== undefined && <circle cx={last[0]} cy={last[1]} r={2.5} />}
    </svg>
  );
}
