/** The first thing on the page: what became of the run, and what to do now. */
import { drawnFor } from './drawing.tsx';
import { Icon, TONE_GLYPHS } from './icons.tsx';
import { count } from './model/format.ts';
import type { Need } from './model/needs.ts';
import { type EndMark, MARK_WORDS, markOf, type Run } from './model/run.ts';
import { factsOf, type NextStep, stepsOf, verdictOf } from './model/verdict.ts';
import { Command, Prose, Time } from './parts.tsx';
import { hrefOf } from './state.ts';

export function VerdictCard({ run, needs }: { run: Run; needs: readonly Need[] }) {
  const { tone, sentence, more } = verdictOf(run, needs);
  const steps = stepsOf(run, needs);
  return (
    <section
      id="verdict"
      class={steps.length === 0 ? 'first alone' : 'first'}
      aria-labelledby="verdict-title"
    >
      <div class={`card verdict is-${tone}`}>
        <div class="line">
          <span class={`tone-${tone}`}>
            <Icon glyph={TONE_GLYPHS[tone]} />
          </span>
          <h1 id="verdict-title">
            <Prose text={sentence} />
          </h1>
        </div>
        {more.length > 0 && (
          <p class="more">
            <Prose text={more.join(' ')} />
          </p>
        )}
        {run.workstreams.length > 0 &&
          (run.document.omitted === null ? <Strip run={run} /> : <Shares run={run} />)}
        <Facts run={run} />
      </div>
      {steps.length > 0 && (
        <aside class="card now" aria-labelledby="now-title">
          <h2 id="now-title">What to do now</h2>
          <ol>
            {steps.map((step) => (
              <StepView key={step.bold + step.rest} step={step} />
            ))}
          </ol>
        </aside>
      )}
    </section>
  );
}

function StepView({ step: { bold, rest, why, command, need } }: { step: NextStep }) {
  return (
    <li>
      <p>
        {bold !== '' && (
          <b>
            <Prose text={bold} />
          </b>
        )}{' '}
        <Prose text={rest} />
      </p>
      {why !== '' && <p class="why">{why}</p>}
      {need !== null && (
        <p class="why">
          <a href={hrefOf({ kind: 'run', section: need === '#results' ? 'results' : 'needs' })}>
            {need === '#results' ? 'The table' : 'Its lines and values'}
          </a>
        </p>
      )}
      {command !== null && <Command command={command} />}
    </li>
  );
}

function Facts({ run }: { run: Run }) {
  return (
    <dl class="facts">
      {factsOf(run).map(({ name, value, note, time }) => (
        <div key={name}>
          <dt>{name} </dt>
          <dd>
            {time === undefined ? value : <Time iso={time} />}
            {note !== '' && <span class="q"> ({note})</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** Most marks of the strip; of more workstreams several share one. */
export const MARKS_ACROSS = 216;

export const HEIGHT = 30;

/** One mark a workstream in the order of their ends: the shape says how it ended, and the colour says it again. */
function Strip({ run }: { run: Run }) {
  const { byEnd } = run;
  const each = Math.max(1, Math.ceil(byEnd.length / MARKS_ACROSS));
  const groups: EndMark[][] = [];
  for (let from = 0; from < byEnd.length; from += each)
    groups.push(byEnd.slice(from, from + each).map(markOf));
  const gap = groups.length > 120 ? 0.8 : 2;
  const width = Math.min(34, 1000 / groups.length);
  return (
    <div class="strip-wrap">
      <svg
        class="strip"
        viewBox={`0 0 ${groups.length < 30 ? Math.max(600, width * groups.length) : width * groups.length} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label="How the workstreams ended, in the order in which they ended"
      >
        {groups.map((marks, index) => (
          <StripMark key={index} marks={marks} x={index * width} width={width - gap} />
        ))}
      </svg>
      <Legend run={run} each={each} />
    </div>
  );
}

/** How many ended how, where the page does not have each workstream. */
function Shares({ run }: { run: Run }) {
  const { workstreams: all, completed, failed, skipped } = run.head.run.totals;
  const width = (part: number): number => (part / Math.max(1, all)) * 1000;
  return (
    <div class="strip-wrap">
      <svg
        class="strip"
        viewBox={`0 0 1000 ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label="How the workstreams ended"
      >
        <rect class="f-fail" x={0} y={0} width={width(failed)} height={HEIGHT} />
        <rect class="f-done" x={width(failed)} y={12} width={width(completed)} height={18} />
        <rect class="f-skip" x={width(failed + completed)} y={24} width={width(skipped)} height={6} />
      </svg>
      <Legend run={run} each={0} />
    </div>
  );
}

const isGood = (mark: EndMark): boolean => mark === 'completed' || mark === 'retried';

interface StripMarkProps {
  marks: readonly EndMark[];
  x: number;
  width: number;
}

export const StripMark = drawnFor(MarksInOne, ({ marks, x, width }: StripMarkProps) => [marks, x, width]);

function MarksInOne({ marks, x, width }: StripMarkProps) {
  const [only] = marks;
  if (marks.length === 1 && only !== undefined) return <SingleMark mark={only} x={x} width={width} />;
  const bad = marks.filter((mark) => !isGood(mark) && mark !== 'skipped');
  const skipped = marks.filter((mark) => mark === 'skipped').length;
  const share = bad.length / marks.length;
  return (
    <>
      {skipped < marks.length && <rect class="f-done" x={x} y={12} width={width} height={18} />}
      {skipped > 0 && <rect class="f-skip" x={x} y={24} width={width} height={6} />}
      {bad[0] !== undefined && (
        <rect
          class={`f-${bad.every((mark) => mark === 'odd' || mark === 'conflict') ? 'odd' : 'fail'}`}
          x={x}
          y={0}
          width={width}
          height={Math.max(8, HEIGHT * share)}
        />
      )}
    </>
  );
}

function SingleMark({ mark, x, width }: { mark: EndMark; x: number; width: number }) {
  const rect = (tone: string, y: number, height: number, left = x, wide = width) => (
    <rect class={`f-${tone}`} x={left} y={y} width={wide} height={height} />
  );
  switch (mark) {
    case 'completed':
      return rect('done', 12, 18);
    case 'retried':
      return (
        <>
          {rect('done', 12, 18)}
          {rect('warn', 7, 3)}
        </>
      );
    case 'failed':
      return rect('fail', 0, HEIGHT);
    case 'odd':
    case 'conflict':
      return (
        <>
          {rect('odd', 0, 19)}
          {rect('odd', 23, 7)}
        </>
      );
    case 'wait':
      return (
        <>
          {rect('warn', 4, 26, x, width * 0.36)}
          {rect('warn', 4, 26, x + width * 0.64, width * 0.36)}
        </>
      );
    case 'skipped':
      return rect('skip', 24, 6);
  }
}

/** A word for each mark that is there, with how many there are. */
function Legend({ run, each }: { run: Run; each: number }) {
  const { totals } = run.head.run;
  const retried = run.count('retried');
  const entries: [EndMark, number, string][] = [
    ['completed', totals.completed - run.count('conflict'), 'completed'],
    ['retried', retried, 'of them by retry'],
    ['failed', totals.failed - run.count('odd', 'wait') - failedConflicts(run), MARK_WORDS.failed],
    ['odd', run.count('odd'), run.count('odd') === 1 ? 'false success' : 'false successes'],
    ['conflict', run.count('conflict'), run.count('conflict') === 1 ? 'conflict' : 'conflicts'],
    ['wait', run.count('wait'), MARK_WORDS.wait],
    ['skipped', totals.skipped, MARK_WORDS.skipped],
  ];
  const found = entries.filter(([, value]) => value > 0);
  const isOfCompleted = ([mark]: (typeof entries)[number]): boolean => isGood(mark);
  return (
    <div class="legend">
      {found.filter(isOfCompleted).map(legendEntry)}
      {totals.takenOver > 0 && (
        <span>
          <b>{count(totals.takenOver)}</b> of them taken over from earlier runs
        </span>
      )}
      {found.filter((entry) => !isOfCompleted(entry)).map(legendEntry)}
      <span class="q wide-only">in the order in which they ended{each > 1 ? `, ${each} a mark` : ''}</span>
    </div>
  );
}

export const legendEntry = ([mark, value, word]: [EndMark, number, string]) => (
  <span class="st" key={mark}>
    <svg class="k" viewBox="0 0 18 30" preserveAspectRatio="none" aria-hidden="true">
      <SingleMark mark={mark} x={3} width={12} />
    </svg>
    <b>{count(value)}</b> {word}
  </span>
);

const failedConflicts = (run: Run): number =>
  run.workstreams.reduce(
    (sum, each) => sum + (each.status === 'failed' && markOf(each) === 'conflict' ? 1 : 0),
    0,
  );
