/** What needs a person: a card for each error with what was printed, where it is, and what to run or hand on. */
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { errorsOf } from './model/errors.ts';
import { agentText, count, duration, oneLine, plural, withCode } from './model/format.ts';
import { type AffectedWorkstream, type Badge, countsOf, type Need, promptOfAll } from './model/needs.ts';
import { queryWords } from './model/rows.ts';
import type { Run } from './model/run.ts';
import { BadgeView, CopyButton, Lines, LogLink, SectionView, Words, WorkstreamLink } from './parts.tsx';
import { go, hrefOf, place } from './state.ts';

/** Cards that are there at first. */
const FIRST = 12;

/** Workstreams that a card names at first; all where there are no more than `FEW`. */
const NAMED = 3;
const FEW = 5;

export function NeedsList({ run, needs }: { run: Run; needs: readonly Need[] }) {
  const { query, all } = place.value;
  const found = query === '' ? needs : needs.filter((need) => needMatches(need, query));
  const shown = all ? found : found.slice(0, FIRST);
  if (needs.length === 0) return null;
  return (
    <SectionView
      id="needs"
      title="Needs you"
      note={noteOf(run, needs)}
      actions={
        needs.length > 1 && (
          <CopyButton glyph="prompt" text={() => promptOfAll(needs.slice(0, FIRST))}>
            Copy {needs.length > FIRST ? `the first ${FIRST}` : `all ${needs.length}`} as one prompt
          </CopyButton>
        )
      }
    >
      {found.length === 0 && <p class="card pad q2">No error matches “{query}”.</p>}
      <div class="needs">
        {shown.map((need, index) => (
          <NeedCard key={need.key} need={need} isWide={index === 0 || shown.length < 3} />
        ))}
      </div>
      <MoreNeeds shown={shown.length} found={found.length} untold={query === '' ? untoldOf(run) : 0} />
    </SectionView>
  );
}

/** How many errors of the run are too many to have a card. */
export const untoldOf = (run: Run): number => {
  const { total, shown } = errorsOf(run);
  return total - shown.length;
};

interface MoreProps {
  shown: number;
  found: number;
  /** Errors without a card. */
  untold: number;
}

/** What is not shown, and how to see it. */
export function MoreNeeds({ shown, found, untold }: MoreProps) {
  if (found > shown)
    return (
      <p class="more-row card gap">
        {plural(found - shown + untold, 'more error')}
        <button type="button" class="b" onClick={() => go({ all: true })}>
          Show {untold > 0 ? `the first ${count(found)}` : `all ${count(found)}`}
        </button>
      </p>
    );
  return untold <= 0 ? null : (
    <p class="more-row card gap">
      {plural(untold, 'more error')}
      <a class="b" href={hrefOf({ kind: 'run', section: 'done' })}>
        See the table
      </a>
    </p>
  );
}

function noteOf(run: Run, needs: readonly Need[]): string {
  const fresh = needs.filter(({ badge }) => badge === 'new').length;
  const order =
    fresh === 0 || fresh === needs.length ? '' : `, the new ${fresh === 1 ? 'one' : 'ones'} first`;
  return `${countsOf(run, needs)}${order}`;
}

function needMatches({ title, reason, lines, affected }: Need, query: string): boolean {
  const text = [reason, ...title, ...lines.map((line) => line.text), ...affected.map(({ id }) => id)]
    .join('\n')
    .toLowerCase();
  return queryWords(query).every((word) => text.includes(word));
}

const CARD_CLASS: Partial<Record<Badge, string>> = {
  flaky: 'is-flaky',
  'false success': 'is-odd',
  conflict: 'is-odd',
  'out of quota': 'is-wait',
  recurring: 'is-recurring',
};

function NeedCard({ need, isWide }: { need: Need; isWide: boolean }) {
  const { prompt } = need;
  return (
    <NeedFrame need={need} isWide={isWide}>
      <NeedBody need={need} />
      <NeedFooter need={need} />
      <details>
        <summary>Read the prompt first ({plural(prompt.split('\n').length, 'line')})</summary>
        <pre tabIndex={0}>{prompt}</pre>
      </details>
    </NeedFrame>
  );
}

interface FrameProps {
  need: Need;
  isWide?: boolean;
  children: ComponentChildren;
}

/** A card of a need: which error it is, and how many workstreams have it. */
export function NeedFrame({ need, isWide = false, children }: FrameProps) {
  const { badge, reason, title, history, affected, pattern, heldBack, total } = need;
  const name = title.map((part) => part ?? 'something').join('');
  const who = total === 1 ? (affected[0]?.workstream?.title ?? affected[0]?.id ?? '') : workstreams(total);
  return (
    <article
      class={`card need ${CARD_CLASS[badge] ?? ''}${isWide ? ' wide' : ''}`}
      data-move="card"
      tabIndex={-1}
      aria-label={`${oneLine(name, 120)}: ${oneLine(who, 120)}`}
    >
      <header>
        <div class="tags">
          <BadgeView badge={badge} />
          <code>{reason}</code>
          <span>
            {workstreams(total)}
            {heldBack.length > 0 &&
              `, and ${count(heldBack.length)} skipped that ${heldBack.length === 1 ? 'needs' : 'need'} ${total === 1 ? 'it' : 'them'}`}
          </span>
        </div>
        <h3>
          {pattern === null ? (
            <Title parts={title} />
          ) : (
            <a href={hrefOf({ kind: 'pattern', id: pattern.id })}>
              <Title parts={title} />
            </a>
          )}
        </h3>
        {history.length > 0 && <p class="say">{history.join(' ')}</p>}
      </header>
      {children}
    </article>
  );
}

const workstreams = (total: number): string => plural(total, 'workstream');

/** What acts on a workstream of a need; nothing where the page can't act. */
type ActView = (affected: AffectedWorkstream) => ComponentChildren;

/** What was printed of it, and where it is. */
export function NeedBody({ need, act }: { need: Need; act?: ActView }) {
  return (
    <div class="body">
      <Lines lines={need.lines} />
      <Affected need={need} act={act} />
    </div>
  );
}

/** Longest command that a tooltip shows. */
const COMMAND = 300;

/** What to do about it: the command, the prompt, and what the page itself can do. */
export function NeedFooter({ need, children }: { need: Need; children?: ComponentChildren }) {
  const { command, pattern } = need;
  return (
    <footer>
      {command !== null && (
        <CopyButton glyph="copy" text={command} title={oneLine(command, COMMAND)} shortcut="c">
          Copy command
        </CopyButton>
      )}
      <CopyButton glyph="prompt" text={() => need.prompt} shortcut="p">
        Copy as prompt
      </CopyButton>
      {children}
      <span class="grow" />
      {pattern !== null && <a href={hrefOf({ kind: 'pattern', id: pattern.id })}>All of this error</a>}
    </footer>
  );
}

/** A template with its holes underlined, and with `code` between backticks. */
export function Title({ parts }: { parts: readonly (string | null)[] }) {
  return (
    <>
      {withCode(parts).map(({ text, isCode }, index) =>
        text === null ? (
          <em class="hole" key={index} title="What differs from one to the other">
            ‹…›
          </em>
        ) : (
          <bdi key={index}>{isCode ? <code>{text}</code> : text}</bdi>
        ),
      )}
    </>
  );
}

/** Most workstreams that a card names. */
const MOST = 100;

function Affected({ need, act }: { need: Need; act: ActView | undefined }) {
  const { affected, total, heldBack, badge, pattern } = need;
  const isWhole = useSignal(false);
  const shown = affected.slice(0, isWhole.value ? MOST : affected.length <= FEW ? FEW : NAMED);
  const hasValues = shown.some(({ values }) => values.length > 0);
  const left = total - shown.length;
  return (
    <div class="aff">
      <span class="lab">
        {badge === 'conflict' ? 'The workstreams' : hasValues ? 'Where, and with which value' : 'Where'}
      </span>
      <ul>
        {shown.map((each) => (
          <AffectedView key={each.id} affected={each} act={act} />
        ))}
        {heldBack.length > 0 && (
          <li>
            <span class="id">
              {heldBack.slice(0, 3).map((id, index) => (
                <>
                  {index > 0 && ', '}
                  <WorkstreamLink id={id} />
                </>
              ))}
              {heldBack.length > 3 && ` and ${count(heldBack.length - 3)} more`}
            </span>
            <span class="q2 nw">skipped</span>
            <span class="val">
              {heldBack.length === 1 ? 'It needs' : 'They need'}{' '}
              <Words text={affected[0]?.workstream?.id ?? 'one of these'} length={60} />.
            </span>
          </li>
        )}
      </ul>
      {left > 0 && affected.length > shown.length && !isWhole.value && (
        <button type="button" class="link" onClick={() => (isWhole.value = true)}>
          and {count(left)} more
        </button>
      )}
      {left > 0 && isWhole.value && pattern !== null && (
        <a class="link" href={hrefOf({ kind: 'pattern', id: pattern.id })}>
          and {count(left)} more
        </a>
      )}
    </div>
  );
}

function AffectedView({ affected, act }: { affected: AffectedWorkstream; act: ActView | undefined }) {
  const { id, workstream, values } = affected;
  const attempts = workstream?.attemptCount ?? 0;
  const took = workstream?.seconds ?? null;
  const notes = [
    ...(values.length > 0 ? [values.join(', ')] : []),
    ...(workstream === null ? ['not on this page'] : [workstream.tool ?? agentText(workstream.agentId, 40)]),
  ];
  return (
    <li>
      <WorkstreamLink id={id} />
      <span class="q2 nw">
        {[
          ...(attempts > 1 ? [plural(attempts, 'attempt')] : []),
          ...(took === null ? [] : [duration(took)]),
        ].join(' · ')}
      </span>
      <span class="val">
        <bdi>{notes.join(' · ')}</bdi>
        {workstream?.log != null && (
          <>
            {' · '}
            <LogLink id={id} log={workstream.log}>
              log
            </LogLink>
          </>
        )}
      </span>
      {act?.(affected)}
    </li>
  );
}
