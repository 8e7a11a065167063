/**
 * What one window of a browser does at a time. Web Locks know when a window is gone, but browsers have them only where the
 * address is this machine's or https. Elsewhere windows keep leases in the storage of their origin, which has no exclusive
 * access: two windows may hold a name for a moment, or while one of them sleeps, so that what is done must bear that.
 */

/** How long a lease holds that is not renewed, and how often it is. A hidden window may sleep for longer: it loses what it had. */
const LEASE_MS = 4000;
const RENEW_MS = 1000;

/** How often a lease is asked for that another window has, and how long one is looked at before it counts. */
const ASK_MS = 200;
const SETTLE_MS = 50;

const LEASE = 'millrace lease ';
const WAITING = 'millrace waiting ';

/**
 * Does something while no other window of this browser does it under this name, and as soon as none does.
 * @param work ends when its signal is aborted, and is begun again where that was because another window took the name.
 */
export async function alone(
  name: string,
  signal: AbortSignal,
  work: (held: AbortSignal) => Promise<void>,
): Promise<void> {
  if (!('locks' in navigator)) return leased(name, signal, work);
  try {
    await navigator.locks.request(name, { signal }, () => work(signal));
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** Names that a window has, and those that one waits for. */
export async function namesInUse(): Promise<{ held: ReadonlySet<string>; waited: ReadonlySet<string> }> {
  if (!('locks' in navigator)) return { held: noted(LEASE), waited: noted(WAITING) };
  const { held = [], pending = [] } = await navigator.locks.query();
  const namesOf = (locks: LockInfo[]): Set<string> => new Set(locks.flatMap(({ name }) => name ?? []));
  return { held: namesOf(held), waited: namesOf(pending) };
}

async function leased(
  name: string,
  signal: AbortSignal,
  work: (held: AbortSignal) => Promise<void>,
): Promise<void> {
  const holder = String(Math.random());
  const release = (): void => {
    if (holderOf(name) === holder) localStorage.removeItem(LEASE + name);
  };
  addEventListener('pagehide', release);
  for (let isLost = true; isLost && !signal.aborted; ) {
    await acquire(name, holder, signal);
    const held = new AbortController();
    const end = (): void => held.abort();
    signal.addEventListener('abort', end);
    const renewing = setInterval(() => {
      if (holderOf(name) === holder) note(LEASE + name, holder);
      else end();
    }, RENEW_MS);
    if (signal.aborted) end();
    await work(held.signal);
    isLost = held.signal.aborted;
    clearInterval(renewing);
    signal.removeEventListener('abort', end);
    release();
  }
  removeEventListener('pagehide', release);
}

async function acquire(name: string, holder: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    if (holderOf(name) === null) {
      note(LEASE + name, holder);
      await pause(SETTLE_MS, signal);
      if (holderOf(name) === holder) return;
    }
    note(WAITING + name, holder);
    await pause(ASK_MS, signal);
  }
}

/** Null where nobody has the name, or who had it did not renew it. */
const holderOf = (name: string): string | null => notedIn(LEASE + name);

function note(key: string, holder: string): void {
  localStorage.setItem(key, `${Date.now() + LEASE_MS} ${holder}`);
}

/** What is noted and still true: lest windows that died leave something behind, the rest is removed. */
function notedIn(key: string): string | null {
  const [until, holder = null] = localStorage.getItem(key)?.split(' ') ?? [];
  if (holder !== null && Number(until) > Date.now()) return holder;
  localStorage.removeItem(key);
  return null;
}

function noted(prefix: string): Set<string> {
  const keys = Object.keys(localStorage).filter((key) => key.startsWith(prefix));
  return new Set(keys.filter((key) => notedIn(key) !== null).map((key) => key.slice(prefix.length)));
}

export const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  until(signal, (resolve) => setTimeout(resolve, ms));

/** Resolves when something happens, or the signal is aborted. */
export function until(signal: AbortSignal, happens: (resolve: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      signal.removeEventListener('abort', done);
      resolve();
    };
    if (signal.aborted) return done();
    signal.addEventListener('abort', done);
    happens(done);
  });
}
