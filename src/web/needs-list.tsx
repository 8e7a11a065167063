/** What needs a person: a card for each error with what was printed, where it is, and what to run or hand on. */
import { useSignal } from '@preact/signals';
import { agentText, count, duration, listed, oneLine, plural, withCode } from './model/format.ts';
import { type AffectedWorkstream, type Badge, type Need, promptOfAll } from './model/needs.ts';
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
          <NeedCard key={need.key} need={need} run={run} isWide={index === 0 || shown.length < 3} />
        ))}
      </div>
      {found.length > shown.length && (
        <p class="more-row card gap">
          {plural(found.length - shown.length, 'more error')}
          <button type="button" class="b" onClick={() => go({ all: true })}>
            Show all {count(found.length)}
          </button>
        </p>
      )}
    </SectionView>
  );
}

function noteOf(run: Run, needs: readonly Need[]): string {
  const conflicts = needs.filter(({ badge }) => badge === 'conflict');
  const failing = conflicts.filter(({ pattern }) => pattern !== null);
  const errors = run.head.errorPatterns - failing.length;
  const failed = failing.reduce((left, { total }) => left - total, run.head.run.totals.failed);
  const parts = [
    ...(errors > 0 ? [`${plural(errors, 'error')} behind ${plural(failed, 'failure')}`] : []),
    ...(conflicts.length > 0 ? [plural(conflicts.length, 'conflict')] : []),
  ];
  const fresh = needs.filter(({ badge }) => badge === 'new').length;
  const order =
    fresh === 0 || fresh === needs.length ? '' : `, the new ${fresh === 1 ? 'one' : 'ones'} first`;
  return `${listed(parts)}${order}`;
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

function NeedCard({ need, run, isWide }: { need: Need; run: Run; isWide: boolean }) {
  const { badge, reason, title, history, lines, command, prompt, pattern, heldBack, total } = need;
  return (
    <article
      class={`card need ${CARD_CLASS[badge] ?? ''}${isWide ? ' wide' : ''}`}
      data-move="card"
      tabIndex={-1}
      aria-label={oneLine(title.map((part) => part ?? 'something').join(''), 120)}
    >
      <header>
        <div class="tags">
          <BadgeView badge={badge} />
          <code>{reason}</code>
          <span>
            {plural(total, 'workstream')}
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
      <div class="body">
        <Lines lines={lines} />
        <Affected need={need} run={run} />
      </div>
      <footer>
        <CopyButton glyph="copy" text={command} title={command} shortcut="c">
          Copy command
        </CopyButton>
        <CopyButton glyph="prompt" text={prompt} shortcut="p">
          Copy as prompt
        </CopyButton>
        <span class="grow" />
        {pattern !== null && <a href={hrefOf({ kind: 'pattern', id: pattern.id })}>All of this error</a>}
      </footer>
      <details>
        <summary>Read the prompt first ({plural(prompt.split('\n').length, 'line')})</summary>
        <pre tabIndex={0}>{prompt}</pre>
      </details>
    </article>
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

function Affected({ need: { affected, total, heldBack, badge }, run }: { need: Need; run: Run }) {
  const isWhole = useSignal(false);
  const shown = isWhole.value || affected.length <= FEW ? affected : affected.slice(0, NAMED);
  const hasValues = affected.some(({ values }) => values.length > 0);
  const left = total - shown.length;
  return (
    <div class="aff">
      <span class="lab">
        {badge === 'conflict' ? 'The workstreams' : hasValues ? 'Where, and with which value' : 'Where'}
      </span>
      <ul>
        {shown.map((each) => (
          <AffectedView key={each.id} affected={each} />
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
              <Words text={run.byId.get(affected[0]?.id ?? '')?.id ?? 'one of these'} length={60} />.
            </span>
          </li>
        )}
      </ul>
      {left > 0 && affected.length > shown.length && (
        <button type="button" class="link" onClick={() => (isWhole.value = true)}>
          and {count(left)} more
        </button>
      )}
    </div>
  );
}

function AffectedView({ affected: { id, workstream, values } }: { affected: AffectedWorkstream }) {
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
    </li>
  );
}
