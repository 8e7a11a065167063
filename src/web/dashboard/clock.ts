/** The time, as it is at the server: what counts up and down on a page ticks once a second, and not where nobody sees it. */
import { signal } from '@preact/signals';

/** Changes each second, in milliseconds since this page was opened. */
export const ticking = signal(performance.now());

setInterval(() => {
  if (!document.hidden) ticking.value = performance.now();
}, 1000);

/** Milliseconds since 1970 by the server's clock. @param now of the server. @param at when that was, by `ticking`'s clock. */
export const serverTime = (now: string, at: number): number =>
  Date.parse(now) + Math.max(0, ticking.value - at);
