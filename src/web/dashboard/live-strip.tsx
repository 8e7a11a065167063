/** A run under way in one line: what ended, what is running, what is to come. */
import type { LiveState } from '../../domain/dashboard/answers.ts';
import { count } from '../model/format.ts';
import type { LiveRun } from '../model/live-run.ts';
import { type EndMark, MARK_WORDS } from '../model/run.ts';
import { HEIGHT, legendEntry, MARKS_ACROSS, StripMark } from '../verdict-card.tsx';

/** One mark a workstream: those that ended in the order of their results, those under way, and those to come. */
export function LiveStrip({ run, live }: { run: LiveRun; live: LiveState }) {
  const { total, running, waiting } = live;
  const each = Math.max(1, Math.ceil(total / MARKS_ACROSS));
  const groups = run.strip(each);
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
