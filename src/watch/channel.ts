/** The run's side of what ties it to the process that watches over it. */
import type { RunEvent } from '../domain/run-event.ts';
import type { StrayFile } from './streams.ts';
import { type FromRun, CONTINUATION_VARIABLE, type Continuation, readContinuation } from './protocol.ts';

export interface WatchChannel {
  /** What this process goes on from; null for a run that begins. */
  goingOn: Continuation | null;
  /** What code of workstreams writes past all logs; null where it can't be known. */
  stray: StrayFile | null;
  /** Tells it which run there is. To be subscribed to the run. */
  listener: (event: RunEvent) => void;
  tell: (message: FromRun) => void;
  /** Says the exit code: nothing follows. Resolves when that is on its way. */
  end: (exitCode: number) => Promise<void>;
  /** Calls back when the process that watches has gone. */
  onAbandoned: (listener: () => void) => void;
}

let link: WatchChannel | null = null;

/** Null where nobody watches, as for other commands and in the library. */
export const currentChannel = (): WatchChannel | null => link;

/**
 * To be called once, by the entry of a process that is watched.
 * @param stray holds what code writes to the descriptors of standard output and error; null where nothing does.
 */
export function openChannel(stray: StrayFile | null): WatchChannel {
  const goingOn = readContinuation(process.env[CONTINUATION_VARIABLE]);
  // It is not for what this process starts.
  Reflect.deleteProperty(process.env, CONTINUATION_VARIABLE);
  const tell = (message: FromRun, told: () => void = () => undefined): void => {
    if (process.connected) process.send?.(message, undefined, undefined, told);
    else told();
  };
  link = {
    goingOn,
    stray,
    tell: (message) => tell(message),
    end: (exitCode) => new Promise((resolve) => tell({ type: 'ended', exitCode }, resolve)),
    listener: (event) => {
      if (event.type !== 'run-started') return;
      const { runId, resumed } = event;
      tell({ type: 'run', runId, results: resumed?.results ?? 0, inHand: resumed?.inHand ?? 0 });
    },
    onAbandoned: (listener) => {
      if (!process.connected) return listener();
      process.once('disconnect', listener);
      // Only to be heard if this process has something to do.
      process.channel?.unref();
    },
  };
  return link;
}
