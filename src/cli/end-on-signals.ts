import { type EndSignal, exitCodeOf } from '../os/end-signals.ts';

const SIGNALS: readonly EndSignal[] = ['SIGINT', 'SIGTERM'];

/**
 * Ends this process at the first signal, and with it the git processes that it started, which have groups of their own.
 * For commands that can be started again at any point of their work.
 */
export function endOnSignals(): void {
  for (const signal of SIGNALS) process.once(signal, () => process.exit(exitCodeOf(signal)));
}
