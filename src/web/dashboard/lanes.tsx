/** What each agent of a run does now, with what can be done about it. */
import { Fragment } from 'preact';
import type { LiveState } from '../../domain/dashboard/answers.ts';
import { drawnFor, useStaggered } from '../drawing.tsx';
import { Icon } from '../icons.tsx';
import { agentParts, count, oneLine, plural } from '../model/format.ts';
import { agentsByHost, agentsNote } from '../model/live.ts';
import type { AgentNow } from '../model/live-run.ts';
import type { Run } from '../model/run.ts';
import { SectionView, Words, WorkstreamLink } from '../parts.tsx';
import { hrefOf } from '../state.ts';
import { StopButton, whyNot } from './actions.tsx';
import type { RunSeen } from './followed-run.ts';
import { Elapsed, Progress } from './in-hand.tsx';

/** Rows that are drawn again in one frame. */
const ROWS_A_FRAME = 12;

export function Lanes({ seen, live }: { seen: RunSeen; live: LiveState }) {
  const { agents } = seen.current;
  const { drawn } = useStaggered(agents, null, ROWS_A_FRAME);
  const { head } = seen.current.document;
  const { runId } = head.run;
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
          <StopButton runId={runId} live={live} workstream={null}>
            <Icon glyph="stop" />
            Stop the run …
          </StopButton>
        </>
      }
    >
      <div class="card lanes">
        {agentsByHost(drawn).map(({ host, agents: ofHost }) => (
          <Fragment key={host}>
            {host !== null && <HostLine host={host} agents={ofHost} head={head} />}
            <ul aria-label={host === null ? 'Agents' : oneLine(host, 80)}>
              {ofHost.map((agent) => (
                <LaneRow key={agent.agentId} agent={agent} runId={runId} at={seen.at} live={live} />
              ))}
            </ul>
          </Fragment>
        ))}
        {agents.length === 0 && <p class="pad q2">No agent has begun with a workstream so far.</p>}
      </div>
      {problem !== null && <p class="q2 gap">{problem}</p>}
    </SectionView>
  );
}

interface HostProps {
  host: string;
  agents: readonly AgentNow[];
  head: Run['head'];
}

/** A host of a queue, over the agents that it lends. */
function HostLine({ host, agents, head }: HostProps) {
  const atWork = agents.filter(({ running }) => running !== null).length;
  const lost = head.hosts?.find((each) => each.host === host)?.lost ?? 0;
  return (
    <h3 class="host">
      <Words text={host} length={120} />
      <span>
        {count(atWork)} of {plural(agents.length, 'agent')} at work
        {lost > 0 && <b class="fail">, lost {lost === 1 ? 'once' : `${count(lost)} times`}</b>}
      </span>
    </h3>
  );
}

interface LaneRowProps {
  agent: AgentNow;
  runId: string;
  live: LiveState;
  /** When that was true, by this page's clock. */
  at: number;
}

/** Drawn again when something of the agent has changed: of what goes on the clock runs by itself. */
const LaneRow = drawnFor(Lane, ({ agent, live }: LaneRowProps) => [agent, whyNot(live)]);

function Lane({ agent: { agentId, running }, runId, at, live }: LaneRowProps) {
  const { name } = agentParts(agentId);
  if (running === null)
    return (
      <li class="lane is-idle" data-move="row" tabIndex={-1}>
        <div class="who">
          <b>
            <Words text={name} length={30} />
          </b>
        </div>
        <div class="el">
          –<small>{'\u00a0'}</small>
        </div>
        <div class="what q2">
          nothing at the moment
          <span key="tail" class="tail">
            {'\u00a0'}
          </span>
        </div>
      </li>
    );
  const { workstreamId, title, since, attempt, text } = running;
  return (
    <li class="lane" data-move="row" tabIndex={-1}>
      <div class="who">
        <b>
          <Words text={name} length={30} />
        </b>
      </div>
      <div class="el steady">
        <Elapsed since={since} live={live} at={at} />
        <small>attempt {count(attempt)}</small>
      </div>
      <div class="what">
        <span key="one" class="one">
          <WorkstreamLink id={workstreamId} title={title} class="title" />
          {title !== workstreamId && (
            <span class="id">
              <Words text={workstreamId} length={80} />
            </span>
          )}
        </span>
        <span key="tail" class="tail">
          {text === null ? '\u00a0' : <Words text={text} length={200} />}
        </span>
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
        <StopButton
          key={workstreamId}
          runId={runId}
          live={live}
          workstream={{ id: workstreamId, title }}
          class="b icon"
          label={`Stop ${oneLine(title, 60)} …`}
        >
          <Icon glyph="stop" />
        </StopButton>
      </div>
    </li>
  );
}
