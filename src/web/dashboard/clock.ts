/** The time, as it is at the server: what counts up and down on a page ticks once a second, and not where nobody sees it. */
import { signal } from '@preact/signals';

/** Changes each second, in milliseconds since this page was opened. */
const ticking = signal(performance.now());

/** The same in milliseconds since 1970. Unlike that, it goes on while a computer sleeps, and may be set. */
const timeOfDay = signal(Date.now());

setInterval(() => {
  if (document.hidden) return;
  ticking.value = performance.now();
  timeOfDay.value = Date.now();
}, 1000);

/** @param time in milliseconds since 1970. */
export const secondsSince = (time: number): number => Math.round((timeOfDay.value - time) / 1000);

/** Milliseconds since 1970 by the server's clock. @param now of the server. @param at when that was, by `ticking`'s clock. */
export const serverTime = (now: string, at: number): number =>
  Date.parse(now) + Math.max(0, ticking.value - at);
