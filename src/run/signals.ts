/** Signals that ask a run to end: the first asks, the second insists. A terminal that is closed asks for nothing. */

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

type EndSignal = (typeof SIGNALS)[number];

const EXIT_CODES: Record<EndSignal | 'SIGHUP', number> = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };

export interface SignalHandlers {
  /** Start nothing new, end what runs, keep what there is. */
  first(signal: EndSignal): void;
  /** End at once. */
  second(): void;
  /** Told once: nobody watches any more. The process lives on unless this ends it. */
  hungUp(): void;
}

/** A Ctrl-C may arrive twice: from the terminal, and from a parent such as npm that passes it on. */
const ECHO_MS = 250;

/**
 * Listens until the returned function is called. The same signal again within 250 ms is an echo and does not count.
 * @param now clock in milliseconds.
 */
export function listenForSignals(handlers: SignalHandlers, now = () => performance.now()): () => void {
  let first: { signal: EndSignal; at: number } | null = null;
  const listener = (signal: EndSignal): void => {
    if (first === null) {
      first = { signal, at: now() };
      handlers.first(signal);
    } else if (signal !== first.signal || now() - first.at > ECHO_MS) handlers.second();
  };
  let isHungUp = false;
  // Terminals and remote shells send it more than once.
  const hangUp = (): void => {
    if (!isHungUp) handlers.hungUp();
    isHungUp = true;
  };
  for (const signal of SIGNALS) process.on(signal, listener);
  process.on('SIGHUP', hangUp);
  return () => {
    for (const signal of SIGNALS) process.off(signal, listener);
    process.off('SIGHUP', hangUp);
  };
}

/** 128 and the signal's number, as shells have it; 130 for anything else that ended a run early. */
export function exitCodeOf(interruptedBy: string): number {
  return interruptedBy === 'SIGTERM' || interruptedBy === 'SIGHUP'
    ? EXIT_CODES[interruptedBy]
    : EXIT_CODES.SIGINT;
}
