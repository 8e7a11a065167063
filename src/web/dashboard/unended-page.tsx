/** A workstream without a result. */
import type { LiveState } from '../../domain/dashboard/answers.ts';
import { Icon } from '../icons.tsx';
import { commandOf } from '../model/commands.ts';
import { agentText, count, oneLine, utcTime } from '../model/format.ts';
import { CommandBlock, FactList, Words } from '../parts.tsx';
import { hrefOf } from '../state.ts';
import { StopButton } from './actions.tsx';
import type { RunSeen } from './followed-run.ts';
import { Elapsed, Progress } from './in-hand.tsx';

/** The page of a workstream that is being executed, or has not begun. */
export function UnendedPage({ seen, live, id }: { seen: RunSeen; live: LiveState; id: string }) {
  const { runId } = seen.current.document.head.run;
  const command = commandOf('millrace logs --follow --run', runId, id);
  const running = live.running.find(({ workstreamId }) => workstreamId === id);
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
              <FactList
                facts={[
                  ['Id', <code>{oneLine(id, 200)}</code>],
                  ['Agent', agentText(running.agentId, 60)],
                  ['Attempt', count(running.attempt)],
                  [
                    'For',
                    <span class="steady" title={utcTime(running.since)}>
                      <Elapsed since={running.since} live={live} at={seen.at} />
                    </span>,
                  ],
                ]}
              />
              <div class="acts gap">
                <a class="b" href={hrefOf({ kind: 'log', id })}>
                  <Icon glyph="lines" />
                  Log
                </a>
                <StopButton key={id} runId={runId} live={live} workstream={{ id, title: running.title }}>
                  <Icon glyph="stop" />
                  Stop it …
                </StopButton>
              </div>
            </>
          )}
        </div>
      </section>
      <CommandBlock title="The same in a terminal" command={command} />
    </>
  );
}
