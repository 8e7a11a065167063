/** A run that is under way. Nothing in it moves: what would be inserted above something waits until the reader asks for it. */
import { useSignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import type { LiveState, WorkstreamInHand } from '../../domain/dashboard/answers.ts';
import type { PageWorkstream } from '../../domain/page-document.ts';
import { Done } from '../done.tsx';
import type { RailEntry } from '../frame.tsx';
import { Icon, MARK_GLYPHS } from '../icons.tsx';
import { commandOf } from '../model/commands.ts';
import { count, dollars, duration, oneLine, percent, shown, utcTime } from '../model/format.ts';
import {
  type AgentNow,
  agentsNote,
  agentsNow,
  countdown,
  liveVerdict,
  needingNow,
  parkedText,
  unseenText,
} from '../model/live.ts';
import type { PageSection } from '../model/place.ts';
import { type EndMark, MARK_WORDS, markOf, type Run } from '../model/run.ts';
import {
  Bar,
  Block,
  Command,
  CopyButton,
  Lines,
  Prose,
  SectionView,
  Time,
  TONE_OF_MARK,
  Words,
  WorkstreamLink,
} from '../parts.tsx';
import { hrefOf } from '../state.ts';
import { Timeline } from '../timeline.tsx';
import { HEIGHT, legendEntry, MARKS_ACROSS, StripMark } from '../verdict-card.tsx';
import { ActButton, StopRun, whyNot } from './actions.tsx';
import { serverTime } from './clock.ts';
import type { RunSeen } from './followed-run.ts';

interface LiveProps {
  seen: RunSeen;
  live: LiveState;
  onLook: () => void;
}

export function LivePage(props: LiveProps) {
  const { seen, live, onLook } = props;
  return (
    <>
      <section
        id="verdict"
        class={live.parked.length === 0 ? 'first alone' : 'first'}
        aria-labelledby="verdict-title"
      >
        <LiveVerdict {...props} />
        {live.parked.length > 0 && <Parked {...props} />}
      </section>
      <LiveNeeds {...props} />
      <Lanes {...props} />
      <Timeline run={seen.now} />
      <Done run={seen.listed} soFar={<Unseen seen={seen} onLook={onLook} />} />
    </>
  );
}

/** The sections of the page of a run under way. */
export function liveSections(run: Run): RailEntry[] {
  const section = (id: PageSection, title: string, note = 0, isBad = false): RailEntry => ({
    view: { kind: 'run', section: id },
    title,
    note,
    isBad,
  });
  return [
    section('verdict', 'Now'),
    section('needs', 'Needs you', needingNow(run).length, true),
    section('lanes', 'Agents', run.live?.running.length ?? 0),
    section('timeline', 'Timeline'),
    section('done', 'Ended so far', run.live?.ended ?? 0),
  ];
}

function LiveVerdict({ seen, live }: LiveProps) {
  const { sentence, more } = liveVerdict(live);
  const cost = seen.now.head.tools.reduce((sum, { costUsd }) => sum + (costUsd ?? 0), 0);
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
      {live.total > 0 && <LiveStrip run={seen.now} live={live} />}
      <dl class="facts">
        <div>
          <dt>Running for </dt>
          <dd class="steady">
            <Elapsed since={live.startedAt} live={live} at={seen.at} />
          </dd>
        </div>
        <div>
          <dt>Started </dt>
          <dd>
            <Time iso={live.startedAt} />
          </dd>
        </div>
        {cost > 0 && (
          <div>
            <dt>Cost so far </dt>
            <dd>{dollars(cost)}</dd>
          </div>
        )}
      </dl>
    </div>
  );
}

/** Seconds since something began, ticking. */
function Elapsed({ since, live, at }: { since: string; live: LiveState; at: number }) {
  const seconds = Math.max(0, (serverTime(live.now, at) - Date.parse(since)) / 1000);
  return <>{seconds < 1 ? '0\u202fs' : duration(Math.floor(seconds))}</>;
}

/** One mark a workstream: those that ended in the order of their ends, those under way, and those to come. */
function LiveStrip({ run, live }: { run: Run; live: LiveState }) {
  const { total, running, waiting } = live;
  const each = Math.max(1, Math.ceil(total / MARKS_ACROSS));
  const marks = run.byEnd.map(markOf);
  const groups: EndMark[][] = [];
  for (let from = 0; from < marks.length; from += each) groups.push(marks.slice(from, from + each));
  const places = Math.ceil(total / each);
  const width = Math.min(34, 1000 / places);
  const gap = places > 120 ? 0.8 : 2;
  const atWork = Math.ceil(running.length / each);
  const counts = (['completed', 'retried', 'failed', 'odd', 'conflict', 'wait', 'skipped'] as const)
    .map((mark): [EndMark, number, string] => [
      mark,
      run.count(mark),
      mark === 'retried' ? 'by retry' : MARK_WORDS[mark],
    ])
    .filter(([, value]) => value > 0);
  return (
    <div class="strip-wrap">
      <svg
        class="strip"
        viewBox={`0 0 ${places < 30 ? Math.max(600, width * places) : width * places} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label="What has ended, what is running and what is to come"
      >
        {Array.from({ length: places }, (_, index) => {
          const group = groups[index];
          const x = index * width;
          if (group !== undefined) return <StripMark key={index} marks={group} x={x} width={width - gap} />;
          return index < groups.length + atWork ? (
            <rect key={index} class="f-run" x={x} y={8} width={width - gap} height={22} />
          ) : (
            <rect key={index} class="f-next" x={x} y={27} width={width - gap} height={3} />
          );
        })}
      </svg>
      <div class="legend">
        {counts.map(legendEntry)}
        <span class="st">
          <svg class="k" viewBox="0 0 18 30" preserveAspectRatio="none" aria-hidden="true">
            <rect class="f-run" x={3} y={8} width={12} height={22} />
          </svg>
          <b>{count(running.length)}</b> running
        </span>
        <span class="st">
          <svg class="k" viewBox="0 0 18 30" preserveAspectRatio="none" aria-hidden="true">
            <rect class="f-next" x={3} y={27} width={12} height={3} />
          </svg>
          <b>{count(waiting)}</b> to come
        </span>
      </div>
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
  return seen.unseen.size === 0 ? null : (
    <button type="button" class="pill" onClick={onLook}>
      {unseenText(seen.listed, seen.unseen)}: show
    </button>
  );
}

/** Lines that are there at first. */
const FIRST = 8;

function LiveNeeds({ seen, live, onLook }: LiveProps) {
  const isWhole = useSignal(false);
  const needing = useMemo(() => needingNow(seen.listed), [seen.listed]);
  const lines = isWhole.value ? needing : needing.slice(0, FIRST);
  const waiting = needingNow(seen.now).filter(({ id }) => seen.unseen.has(id)).length;
  return (
    <SectionView
      id="needs"
      title="Needs you"
      note="now or in the report: the rest goes on"
      actions={
        waiting > 0 && (
          <button type="button" class="pill is-bad" onClick={onLook}>
            {count(waiting)} more since you looked: show
          </button>
        )
      }
    >
      {lines.length === 0 && <p class="card pad q2">Nothing has failed so far.</p>}
      <div class="needlines">
        {lines.map((workstream) => (
          <NeedLine key={workstream.id} workstream={workstream} seen={seen} live={live} />
        ))}
      </div>
      {needing.length > lines.length && (
        <p class="more-row card gap">
          {count(needing.length - lines.length)} more
          <button type="button" class="b" onClick={() => (isWhole.value = true)}>
            Show all {count(needing.length)}
          </button>
        </p>
      )}
    </SectionView>
  );
}

/** Lines of what was printed that an open one shows. */
const TOLD = 14;

function NeedLine({
  workstream,
  seen,
  live,
}: {
  workstream: PageWorkstream;
  seen: RunSeen;
  live: LiveState;
}) {
  const { id, title, explanation, reason, agentId, tool, tail, end } = workstream;
  const { runId } = seen.now.head.run;
  const mark = markOf(workstream);
  const isTakenBack = !seen.now.byId.has(id);
  const command = commandOf('millrace retry --run', runId, id);
  const text = shown(tail ?? '').trimEnd();
  const lines = (text === '' ? (explanation ?? '') : text).split('\n').slice(-TOLD);
  return (
    <article
      class={`card needline is-${TONE_OF_MARK[mark]}`}
      data-move="card"
      tabIndex={-1}
      aria-label={oneLine(title, 120)}
    >
      <details>
        <summary>
          <span class={`st ${TONE_OF_MARK[mark]}`}>
            <Icon glyph={isTakenBack ? 'again' : MARK_GLYPHS[mark]} />
            <span>
              {isTakenBack ? 'tried again' : reason === null ? MARK_WORDS[mark] : oneLine(reason, 40)}
            </span>
          </span>
          <b class="one-line">
            <Words text={title} length={120} />
          </b>
          <span class="q2 one-line">
            <Words text={explanation ?? ''} length={200} />
          </span>
          <span class="q nw">
            {oneLine(tool ?? agentId, 24)}
            {end !== null && (
              <>
                , <Time iso={end} />
              </>
            )}
          </span>
        </summary>
        <div class="inner">
          <Lines lines={lines.map((line) => ({ text: line, hit: false }))} />
          <p class="q2">
            <WorkstreamLink id={id} title="All that is known of it" class="" />
            {workstream.logPath !== null && (
              <>
                {' · '}
                <a href={hrefOf({ kind: 'log', id })}>Log</a>
              </>
            )}
          </p>
        </div>
      </details>
      <div class="acts">
        {command !== null && (
          <CopyButton glyph="copy" text={command} title={command} shortcut="c">
            Copy command
          </CopyButton>
        )}
        <ActButton
          runId={runId}
          live={live}
          what="retry"
          workstreams={[id]}
          label={`Try again: ${oneLine(title, 60)}`}
        >
          <Icon glyph="again" />
          Try again
        </ActButton>
      </div>
    </article>
  );
}

function Lanes({ seen, live }: LiveProps) {
  const agents = agentsNow(seen.now);
  const { runId } = seen.now.head.run;
  const problem = whyNot(live);
  return (
    <SectionView
      id="lanes"
      title="Agents"
      note={agentsNote(agents, live)}
      actions={
        <>
          <a class="b" href={hrefOf({ kind: 'logs' })}>
            <Icon glyph="lines" />
            All logs
          </a>
          <StopRun runId={runId} live={live} />
        </>
      }
    >
      <ul class="card lanes">
        {agents.map((agent) => (
          <LaneRow key={agent.agentId} agent={agent} runId={runId} seen={seen} live={live} />
        ))}
        {agents.length === 0 && <li class="pad q2">No agent has begun with a workstream so far.</li>}
      </ul>
      {problem !== null && <p class="q2 gap">{problem}</p>}
    </SectionView>
  );
}

interface LaneRowProps {
  agent: AgentNow;
  runId: string;
  seen: RunSeen;
  live: LiveState;
}

function LaneRow({ agent: { agentId, running }, runId, seen, live }: LaneRowProps) {
  if (running === null)
    return (
      <li class="lane is-idle" data-move="row" tabIndex={-1}>
        <div class="who">
          <b>
            <Words text={agentId} length={30} />
          </b>
        </div>
        <div class="el">–</div>
        <div class="what q2">nothing at the moment</div>
      </li>
    );
  const { workstreamId, title, since, attempt, text, host } = running;
  return (
    <li class="lane" data-move="row" tabIndex={-1}>
      <div class="who">
        <b>
          <Words text={agentId} length={30} />
        </b>
        {host !== null && <Words text={host} length={30} />}
      </div>
      <div class="el steady">
        <Elapsed since={since} live={live} at={seen.at} />
        <small>attempt {count(attempt)}</small>
      </div>
      <div class="what">
        <span class="one">
          <WorkstreamLink id={workstreamId} title={title} class="title" />
          {title !== workstreamId && (
            <span class="id">
              <Words text={workstreamId} length={80} />
            </span>
          )}
        </span>
        <span class="tail">{text === null ? '\u00a0' : <Words text={text} length={200} />}</span>
      </div>
      <Progress running={running} />
      <div class="act">
        <a
          class="b"
          href={hrefOf({ kind: 'log', id: workstreamId })}
          data-key="l"
          aria-label={`Log of ${oneLine(title, 60)}`}
        >
          <Icon glyph="lines" />
          Log
        </a>
        <ActButton
          runId={runId}
          live={live}
          what="stop"
          workstreams={[workstreamId]}
          class="b icon"
          label={`Stop ${oneLine(title, 60)}; the run goes on`}
        >
          <Icon glyph="stop" />
        </ActButton>
      </div>
    </li>
  );
}

function Progress({ running: { fraction } }: { running: WorkstreamInHand }) {
  return (
    <div class="pg">
      <Bar share={fraction ?? 0} tone="run" />
      <span>{fraction === null ? 'tells no progress' : percent(fraction)}</span>
    </div>
  );
}

/** The page of a workstream that is being executed, or has not begun. */
export function UnendedPage({ seen, live, id }: { seen: RunSeen; live: LiveState; id: string }) {
  const command = commandOf('millrace logs --follow --run', seen.now.head.run.runId, id);
  const running = live.running.find(({ workstreamId }) => workstreamId === id);
  const { runId } = seen.now.head.run;
  return (
    <>
      <section class="first alone" id="verdict" aria-labelledby="verdict-title">
        <div class="card verdict is-running">
          <div class="line">
            <span class="tone-running">
              <Icon glyph="half" />
            </span>
            <h1 id="verdict-title">
              <bdi>{oneLine(running?.title ?? id, 300)}</bdi>{' '}
              {running === undefined ? 'has not ended.' : 'is running.'}
            </h1>
          </div>
          {running === undefined ? (
            <p class="more">It waits for an agent, or for what it depends on, or is not part of this run.</p>
          ) : (
            <>
              <p class="more">
                {running.text === null ? (
                  'It says nothing of what it does.'
                ) : (
                  <Words text={running.text} length={300} />
                )}
              </p>
              <Progress running={running} />
              <dl class="facts">
                <div>
                  <dt>Id </dt>
                  <dd>
                    <code>{oneLine(id, 200)}</code>
                  </dd>
                </div>
                <div>
                  <dt>Agent </dt>
                  <dd>{oneLine(running.agentId, 60)}</dd>
                </div>
                <div>
                  <dt>Attempt </dt>
                  <dd>{count(running.attempt)}</dd>
                </div>
                <div>
                  <dt>For </dt>
                  <dd class="steady" title={utcTime(running.since)}>
                    <Elapsed since={running.since} live={live} at={seen.at} />
                  </dd>
                </div>
              </dl>
              <p class="acts gap">
                <a class="b" href={hrefOf({ kind: 'log', id })}>
                  <Icon glyph="lines" />
                  Log
                </a>
                <ActButton runId={runId} live={live} what="stop" workstreams={[id]}>
                  <Icon glyph="stop" />
                  Stop it; the run goes on
                </ActButton>
              </p>
            </>
          )}
        </div>
      </section>
      {command !== null && (
        <Block title="The same in a terminal">
          <div class="card pad">
            <Command command={command} />
          </div>
        </Block>
      )}
    </>
  );
}
