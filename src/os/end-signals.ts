/**
 * The signals by which a person or the system ends a run: one state machine, for the process of a run and for the one
 * that watches over it. What a signal means, and what follows:
 *
 * - `ask`, the first SIGINT or SIGTERM: the run starts nothing new and ends what runs. The watching process passes it
 *   on, unless the run says that it got it too.
 * - `echo`, the same signal again within 250 ms, from the terminal and from a parent such as npm: nothing.
 * - `insist`, the other signal, or the same one later, as often as it comes: the run ends at once. It is passed on.
 * - `hang-up`, the first SIGHUP, because the terminal was closed: the run warns and continues; one that has questions to
 *   ask ends. It is passed on.
 */

/** 128 and the signal's number, as shells have it. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** A signal that asks for the end. */
export type EndSignal = 'SIGINT' | 'SIGTERM';

const END_SIGNALS: readonly EndSignal[] = ['SIGINT', 'SIGTERM'];

export type SignalMeaning = 'ask' | 'insist' | 'hang-up' | 'echo';

const ECHO_MS = 250;

/** What has arrived so far. */
export interface SignalState {
  /** The last end signal that was no echo; null as long as nothing asked for the end. */
  last: { signal: EndSignal; at: number } | null;
  hasHungUp: boolean;
}

export const NO_SIGNAL: SignalState = { last: null, hasHungUp: false };

/** The transitions. Pure. @param at milliseconds on a clock that never goes back. */
export function onSignal(
  state: SignalState,
  signal: EndSignal | 'SIGHUP',
  at: number,
): { state: SignalState; meaning: SignalMeaning } {
  const { last, hasHungUp } = state;
  // Terminals and remote shells send it more than once.
  if (signal === 'SIGHUP')
    return { state: { last, hasHungUp: true }, meaning: hasHungUp ? 'echo' : 'hang-up' };
  if (last?.signal === signal && at - last.at <= ECHO_MS) return { state, meaning: 'echo' };
  return { state: { last: { signal, at }, hasHungUp }, meaning: last === null ? 'ask' : 'insist' };
}

export interface SignalHandlers {
  /** Called once. */
  ask(signal: EndSignal): void;
  /** Called for each signal that insists. */
  insist(signal: EndSignal): void;
  /** Called once. SIGHUP does not end the process unless this does. */
  hangUp(): void;
}

/**
 * Listens until the returned function is called.
 * @param now clock in milliseconds.
 */
export function listenForSignals(handlers: SignalHandlers, now = () => performance.now()): () => void {
  let state = NO_SIGNAL;
  const receive = (signal: EndSignal | 'SIGHUP'): SignalMeaning => {
    const next = onSignal(state, signal, now());
    state = next.state;
    return next.meaning;
  };
  const onEnd = (signal: EndSignal): void => {
    const meaning = receive(signal);
    if (meaning === 'ask' || meaning === 'insist') handlers[meaning](signal);
  };
  const onHangUp = (): void => {
    if (receive('SIGHUP') === 'hang-up') handlers.hangUp();
  };
  for (const signal of END_SIGNALS) process.on(signal, onEnd);
  process.on('SIGHUP', onHangUp);
  return () => {
    for (const signal of END_SIGNALS) process.off(signal, onEnd);
    process.off('SIGHUP', onHangUp);
  };
}

/** The exit code of a run that a signal ended; 130 for anything else that ended it early. */
export const exitCodeOf = (interruptedBy: string): number =>
  endsRuns(interruptedBy) ? EXIT_CODES[interruptedBy] : EXIT_CODES.SIGINT;

/** Whether a process that died of this signal was to end. */
export const endsRuns = (signal: string): signal is keyof typeof EXIT_CODES =>
  Object.hasOwn(EXIT_CODES, signal);
