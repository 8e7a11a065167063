/** What has failed so far, while the rest goes on: a card for each error, as on the page of a run that has ended, but closed. */
import { useSignal } from '@preact/signals';
import { useMemo, useRef } from 'preact/hooks';
import type { LiveState } from '../../domain/dashboard/answers.ts';
import type { PageWorkstream } from '../../domain/page-document.ts';
import { drawnFor } from '../drawing.tsx';
import { Icon } from '../icons.tsx';
import { count, oneLine, timeBeside, utcTime } from '../model/format.ts';
import { type ListedNeeds, listedAfter, NOTHING_LISTED, spreadOf } from '../model/listed-needs.ts';
import { isSameResult, type LiveRun } from '../model/live-run.ts';
import { type AffectedWorkstream, countsOf, type Need, needsOf } from '../model/needs.ts';
import { isLeftWork, type Run } from '../model/run.ts';
import { MoreNeeds, NeedBody, NeedFooter, NeedFrame, untoldOf } from '../needs-list.tsx';
import { SectionView, WorkstreamLink } from '../parts.tsx';
import { place } from '../state.ts';
import { ActButton, whyNot } from './actions.tsx';
import type { RunSeen } from './followed-run.ts';

/** The needs of a run, which keep their places for as long as it is under way and followed. */
export function useListedNeeds(listed: Run): ListedNeeds {
  const last = useRef(NOTHING_LISTED);
  return useMemo(() => {
    const needs = needsOf(listed);
    const { needs: before, cards } = last.current;
    last.current =
      listed.live === null
        ? { ...NOTHING_LISTED, needs }
        : listedAfter({ needs: before, cards: place.peek().all ? before.length : cards }, needs);
    return last.current;
  }, [listed]);
}

interface NeedsProps {
  seen: RunSeen;
  listed: ListedNeeds;
  live: LiveState;
  /** Shows what ended after the reader looked. */
  onLook: () => void;
}

export function LiveNeeds({ seen, listed: { needs, cards }, live, onLook }: NeedsProps) {
  const shown = place.value.all ? needs : needs.slice(0, cards);
  const waiting = seen.unseen.needing;
  const { current, listed } = seen;
  return (
    <SectionView
      id="needs"
      title="Needs you"
      note={needs.length === 0 ? 'now or in the report: the rest goes on' : countsOf(listed, needs)}
      actions={
        waiting > 0 && (
          <button type="button" class="pill is-bad" onClick={onLook}>
            {count(waiting)} more since you looked: show
          </button>
        )
      }
    >
      {needs.length === 0 && <p class="card pad q2">Nothing has failed so far.</p>}
      <div class="needs is-live">
        {shown.map((need) => (
          <KeptNeed
            key={need.key}
            need={need}
            open={seen.unseen.changed === 0 ? need.failures : openIn(need, current)}
            runId={current.document.head.run.runId}
            live={live}
          />
        ))}
      </div>
      <MoreNeeds shown={shown.length} found={needs.length} untold={untoldOf(listed)} />
    </SectionView>
  );
}

/** Those that have not been tried again since the reader looked. */
const openIn = ({ failures }: Need, current: LiveRun): readonly PageWorkstream[] =>
  failures.filter((row) => isSameResult(row, current.get(row.id)));

interface NeedProps {
  need: Need;
  /** Its failures that have not been tried again. */
  open: readonly PageWorkstream[];
  runId: string;
  live: LiveState;
}

function LiveNeed({ need, open, runId, live }: NeedProps) {
  const { title, total } = need;
  const isOpen = useSignal(false);
  const name = oneLine(title.map((part) => part ?? '…').join(''), 60);
  const [only] = need.failures.length === 1 ? need.failures : [];
  // Work that is not merged is done.
  const canRetry = need.failures.some((row) => !isLeftWork(row));
  return (
    <NeedFrame need={need}>
      <div class="spread">
        <Where need={need} tried={need.failures.length - open.length} />
        <When need={need} now={live.now} />
      </div>
      <details class="told" onToggle={({ currentTarget }) => (isOpen.value ||= currentTarget.open)}>
        <summary>{total === 1 ? 'What was printed' : 'What was printed, and where'}</summary>
        {isOpen.value && (
          <NeedBody
            need={need}
            act={({ id, workstream }) =>
              only === undefined &&
              workstream !== null && (
                <TryAgain
                  one={workstream}
                  isOpen={open.some((each) => each.id === id)}
                  runId={runId}
                  live={live}
                />
              )
            }
          />
        )}
      </details>
      <NeedFooter need={need}>
        {canRetry && (
          <ActButton
            runId={runId}
            live={live}
            what="retry"
            workstreams={open.map(({ id }) => id)}
            label={only === undefined ? `Try all again: ${name}` : `Try again: ${oneLine(only.title, 60)}`}
          >
            <Icon glyph="again" />
            {only === undefined ? 'Try all again' : 'Try again'}
          </ActButton>
        )}
      </NeedFooter>
    </NeedFrame>
  );
}

const KeptNeed = drawnFor(LiveNeed, ({ need, open, live }: NeedProps) => [need, open.length, whyNot(live)]);

interface TryProps {
  one: PageWorkstream;
  isOpen: boolean;
  runId: string;
  live: LiveState;
}

const TryAgain = ({ one: { id, title }, isOpen, runId, live }: TryProps) => (
  <ActButton
    runId={runId}
    live={live}
    what="retry"
    workstreams={isOpen ? [id] : []}
    label={`Try again: ${oneLine(title, 60)}`}
  >
    {isOpen ? 'Try again' : 'Tried again'}
  </ActButton>
);

/** Workstreams that a closed card names. */
const NAMED = 3;

/** The first of its workstreams, on one line whatever becomes of them. */
function Where({ need: { affected, total }, tried }: { need: Need; tried: number }) {
  const named = affected.slice(0, NAMED);
  return (
    <p class="where">
      <span class="one-line">
        {named.map((each, index) => (
          <>
            {index > 0 && ', '}
            <NamedLink affected={each} isOnly={total === 1} />
          </>
        ))}
        {total > named.length && ` and ${count(total - named.length)} more`}
      </span>
      {tried > 0 && (
        <span class="st run">
          <Icon glyph="again" />
          <span>{total === 1 ? 'tried again' : `${count(tried)} tried again`}</span>
        </span>
      )}
    </p>
  );
}

const NamedLink = ({
  affected: { id, workstream },
  isOnly,
}: {
  affected: AffectedWorkstream;
  isOnly: boolean;
}) =>
  isOnly && workstream !== null ? (
    <WorkstreamLink id={id} title={workstream.title} class="title" />
  ) : (
    <WorkstreamLink id={id} />
  );

/** By whom, and when: of several the first and the newest. */
function When({ need: { failures }, now }: { need: Need; now: string }) {
  const { first, newest, by } = useMemo(() => spreadOf(failures), [failures]);
  const clock = (iso: string) => (
    <time class="nw" dateTime={iso} title={utcTime(iso)}>
      {timeBeside(iso, now)}
    </time>
  );
  return (
    <p class="when">
      {by}
      {first !== null && newest !== null && (
        <>
          {' · '}
          {failures.length === 1 ? (
            clock(first)
          ) : (
            <>
              first {clock(first)}, newest {clock(newest)}
            </>
          )}
        </>
      )}
    </p>
  );
}
