/** How long and how far what is under way has come. */
import type { LiveState, WorkstreamInHand } from '../../domain/dashboard/answers.ts';
import { duration, percent } from '../model/format.ts';
import { Bar } from '../parts.tsx';
import { serverTime } from './clock.ts';

/** Seconds since something began, ticking. */
export function Elapsed({ since, live, at }: { since: string; live: LiveState; at: number }) {
  const seconds = Math.max(0, (serverTime(live.now, at) - Date.parse(since)) / 1000);
  return <>{seconds < 1 ? '0\u202fs' : duration(Math.floor(seconds))}</>;
}

/** As far as it tells it itself. */
export function Progress({ running: { fraction } }: { running: WorkstreamInHand }) {
  return (
    <div class="pg">
      <Bar share={fraction ?? 0} tone="run" />
      <span>{fraction === null ? 'tells no progress' : percent(fraction)}</span>
    </div>
  );
}
