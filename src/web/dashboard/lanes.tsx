/** What each agent of a run does now, with what can be done about it. */
import type { LiveState } from '../../domain/dashboard/answers.ts';
import { Icon } from '../icons.tsx';
import { count, oneLine } from '../model/format.ts';
import { type AgentNow, agentsNote, agentsNow } from '../model/live.ts';
import { SectionView, Words, WorkstreamLink } from '../parts.tsx';
import { hrefOf } from '../state.ts';
import { ActButton, StopRun, whyNot } from './actions.tsx';
import type { RunSeen } from './followed-run.ts';
import { Elapsed, Progress } from './in-hand.tsx';

export function Lanes({ seen, live }: { seen: RunSeen; live: LiveState }) {
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
