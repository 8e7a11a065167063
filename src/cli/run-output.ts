import type { RunListener } from '../domain/run-event.ts';
import type { RunResult } from '../app/run-result.ts';
import type { RunArguments } from './commands/run.ts';

/** Where a run's events and its end are shown. */
export interface RunOutput {
  listener: RunListener;
  end(result: RunResult, document: () => string): Promise<void>;
  close(): void;
}
export function openOutput(_argv: RunArguments): RunOutput {
  return { listener: (e) => console.log(JSON.stringify(e).slice(0, 300)), end: async () => {}, close: () => {} };
}
