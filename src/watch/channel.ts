/** The run's side of what ties it to the process that watches over it. */
import type { RunEvent } from '../domain/run-event.ts';
import type { StrayFile } from './streams.ts';
import {
  CONTINUATION_VARIABLE,
  type Continuation,
  END_MS,
  type FromRun,
  readContinuation,
} from './protocol.ts';

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

/**
 * Says the exit code once all that was printed has been read. From then on there is nothing to lose, so that a process
 * which does not end by itself is killed: Node waits for its threads, and one that is blocked in a system call or in
 * native code comes back when it likes. The process that watches kills it too, because no code runs in one that waits
 * in its own exit; this is for one that is not watched any more.
 */
export async function endProcess(link: WatchChannel): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) await drained(stream);
  await link.end(Number(process.exitCode ?? 0));
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), END_MS).unref();
}

/** Resolves when everything has been written, or never can be. */
function drained(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableLength === 0) return resolve();
    stream.once('close', resolve);
    stream.once('error', () => resolve());
    stream.write('', () => resolve());
  });
}
