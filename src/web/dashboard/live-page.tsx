/** A run that is under way. Nothing in it moves: what would be inserted above something waits until the reader asks for it. */
import { useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect } from 'preact/hooks';
import type { LiveState } from '../../domain/dashboard/answers.ts';
import { Done } from '../done.tsx';
import { drawnFor, Sections } from '../drawing.tsx';
import type { RailEntry } from '../frame.tsx';
import { Icon } from '../icons.tsx';
import { dollars, oneLine } from '../model/format.ts';
import type { TimelineData } from '../model/lanes.ts';
import type { ListedNeeds } from '../model/listed-needs.ts';
import { countdown, liveVerdict, parkedText, unseenText } from '../model/live.ts';
import type { LiveRun } from '../model/live-run.ts';
import type { PageSection } from '../model/place.ts';
import { FactList, Prose, Time, Words } from '../parts.tsx';
import { drawingGoesOn } from '../state.ts';
import { Timeline } from '../timeline/timeline.tsx';
import { serverTime } from './clock.ts';
import type { RunSeen } from './followed-run.ts';
import { Elapsed } from './in-hand.tsx';
import { Lanes } from './lanes.tsx';
import { LiveNeeds } from './live-needs.tsx';
import { LiveStrip } from './live-strip.tsx';

interface LiveProps {
  seen: RunSeen;
  needs: ListedNeeds;
  live: LiveState;
  onLook: () => void;
}

export function LivePage(props: LiveProps) {
  const { seen, needs, live, onLook } = props;
  return (
    <Sections workstreams={live.ended}>
      <section
        id="verdict"
        class={live.parked.length === 0 ? 'first alone' : 'first'}
        aria-labelledby="verdict-title"
      >
        <LiveVerdict {...props} />
        {live.parked.length > 0 && <Parked {...props} />}
      </section>
      <LiveNeeds seen={seen} listed={needs} live={live} onLook={onLook} />
      <Lanes {...props} />
      <LaterTimeline seen={seen} />
      <Done run={seen.listed} soFar={<Unseen seen={seen} onLook={onLook} />} />
    </Sections>
  );
}

/**
 * The timeline, drawn a frame after the rest: of 10,000 workstreams both together take longer than a page may keep its reader
 * waiting for an answer.
 */
function LaterTimeline({ seen }: { seen: RunSeen }) {
  const drawn = useSignal<TimelineData | null>(null);
  useEffect(() => {
    const frame = requestAnimationFrame(() => {
      drawn.value = seen.current.timeline();
    });
    return () => cancelAnimationFrame(frame);
  }, [seen]);
  const { value } = drawn;
  const isDrawn = value !== null;
  useLayoutEffect(() => (isDrawn ? undefined : drawingGoesOn()), [isDrawn]);
  return value === null ? null : <KeptTimeline data={value} />;
}

const KeptTimeline = drawnFor(Timeline, ({ data }: { data: TimelineData }) => [data]);

/** The sections of the page of a run under way. */
export function liveSections(run: LiveRun, live: LiveState): RailEntry[] {
  const section = (id: PageSection, title: string, note = 0, isBad = false): RailEntry => ({
    view: { kind: 'run', section: id },
    title,
    note,
    isBad,
  });
  return [
    section('verdict', 'Now'),
    section('needs', 'Needs you', run.needing, true),
    section('lanes', 'Agents', live.running.length),
    section('timeline', 'Timeline'),
    section('done', 'Ended so far', live.ended),
  ];
}

function LiveVerdict({ seen, live }: LiveProps) {
  const { sentence, more } = liveVerdict(live);
  const cost = seen.current.document.head.tools.reduce((sum, { costUsd }) => sum + (costUsd ?? 0), 0);
  return (
    <div class="card verdict is-running is-live">
      <div class="line">
        <span class="tone-running">
          <Icon glyph="half" />
        </span>
        <h1 id="verdict-title">{sentence}</h1>
      </div>
      <p class="more">
        <Prose text={more.join(' ')} />
      </p>
      {live.total > 0 && <LiveStrip run={seen.current} live={live} />}
      <FactList
        facts={[
          [
            'Running for',
            <span class="steady">
              <Elapsed since={live.startedAt} live={live} at={seen.at} />
            </span>,
          ],
          ['Started', <Time iso={live.startedAt} />],
          cost > 0 ? ['Cost so far', dollars(cost)] : null,
        ]}
      />
    </div>
  );
}

/** Tools that wait for their usage limit, with how long still. */
function Parked({ seen, live }: LiveProps) {
  const now = serverTime(live.now, seen.at);
  return (
    <aside class="card now limit" aria-labelledby="limit-title">
      <h2 id="limit-title">Waiting for a usage limit</h2>
      <ul class="limits">
        {live.parked.map((parked) => (
          <li key={parked.tool}>
            <p>
              <Words text={parkedText(parked)} length={200} />
            </p>
            {parked.until === null ? (
              <p class="q2">It is not known when it goes on.</p>
            ) : (
              <>
                <p class="countdown" role="timer" aria-label={`Until ${oneLine(parked.tool, 40)} goes on`}>
                  {countdown(parked.until, now)}
                </p>
                <p class="q2">
                  Goes on by itself at <Time iso={parked.until} />. What needs no such tool goes on.
                </p>
              </>
            )}
          </li>
        ))}
      </ul>
    </aside>
  );
}

/** Shows what waits, in a place that is there also while nothing does. */
function Unseen({ seen, onLook }: Pick<LiveProps, 'seen' | 'onLook'>) {
  const { more, changed } = seen.unseen;
  return more + changed === 0 ? null : (
    <button type="button" class="pill" onClick={onLook}>
      {unseenText(seen.unseen)}: show
    </button>
  );
}
