/** Signals that ask a run to end: the first asks, the second insists. */

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

type EndSignal = (typeof SIGNALS)[number];

const EXIT_CODES: Record<EndSignal, number> = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };

export interface SignalHandlers {
  /** Start nothing new, end what runs, keep what there is. */
  first(signal: EndSignal): void;
  /** End at once. */
  second(): void;
}

/** Listens until the returned function is called. */
export function listenForSignals(handlers: SignalHandlers): () => void {
  let count = 0;
  const listener = (signal: EndSignal): void => {
    count += 1;
    if (count === 1) handlers.first(signal);
    else handlers.second();
  };
  for (const signal of SIGNALS) process.on(signal, listener);
  return () => {
    for (const signal of SIGNALS) process.off(signal, listener);
  };
}

/** 128 and the signal's number, as shells have it; 130 for anything else that ended a run early. */
export function exitCodeOf(interruptedBy: string): number {
  return interruptedBy === 'SIGTERM' || interruptedBy === 'SIGHUP'
    ? EXIT_CODES[interruptedBy]
    : EXIT_CODES.SIGINT;
}
