/** What has failed so far, while the rest goes on. */
import { useSignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import type { LiveState } from '../../domain/dashboard/answers.ts';
import type { PageWorkstream } from '../../domain/page-document.ts';
import { drawnFor } from '../drawing.tsx';
import { Icon, MARK_GLYPHS } from '../icons.tsx';
import { commandOf } from '../model/commands.ts';
import { agentText, count, oneLine, shown } from '../model/format.ts';
import { needingIn } from '../model/live.ts';
import { MARK_WORDS, markOf, type Run } from '../model/run.ts';
import {
  CopyButton,
  Lines,
  SectionView,
  Sentence,
  Time,
  TONE_OF_MARK,
  Words,
  WorkstreamLink,
} from '../parts.tsx';
import { hrefOf } from '../state.ts';
import { ActButton, whyNot } from './actions.tsx';
import type { RunSeen } from './followed-run.ts';

/** Lines that are there at first. */
const FIRST = 8;

interface NeedsProps {
  seen: RunSeen;
  live: LiveState;
  /** Shows what ended after the reader looked. */
  onLook: () => void;
}

export function LiveNeeds({ seen, live, onLook }: NeedsProps) {
  const isWhole = useSignal(false);
  const needing = useMemo(() => needingIn(seen.listed), [seen.listed]);
  const lines = isWhole.value ? needing : needing.slice(0, FIRST);
  const waiting = seen.unseen.needing;
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
          <NeedLine
            key={workstream.id}
            workstream={workstream}
            isTakenBack={seen.current.get(workstream.id) === undefined}
            run={seen.listed}
            live={live}
          />
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

interface NeedCardProps {
  workstream: PageWorkstream;
  isTakenBack: boolean;
  run: Run;
  live: LiveState;
}

function NeedCard({ workstream, isTakenBack, run, live }: NeedCardProps) {
  const { id, title, explanation, reason, agentId, tool, tail, end } = workstream;
  const { runId } = run.head.run;
  const mark = markOf(workstream);
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
          <span class="q2 one-line why">
            <Sentence text={explanation ?? ''} length={200} />
          </span>
          <span class="q nw">
            {tool === null ? agentText(agentId, 24) : oneLine(tool, 24)}
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

const NeedLine = drawnFor(NeedCard, ({ workstream, isTakenBack, live }: NeedCardProps) => [
  workstream,
  isTakenBack,
  whyNot(live),
]);
