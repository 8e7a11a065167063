/** The run's side of its channel to the watcher. */
import type { RunEvent } from '../domain/run-event.ts';
import { sendToParent } from '../os/parent-channel.ts';
import {
  CONTINUATION_VARIABLE,
  type Continuation,
  END_MS,
  type FromRun,
  readContinuation,
} from './protocol.ts';
import type { StrayFile } from './streams.ts';

export interface WatchChannel {
  /** The run that this process continues after a death; null for a new one. */
  continuation: Continuation | null;
  /** What code of workstreams writes past all logs; null where it is not intercepted. */
  stray: StrayFile | null;
  /** To be subscribed to the run: sends its id. */
  listener: (event: RunEvent) => void;
  send: (message: FromRun) => void;
  /** Sends the exit code, after which nothing follows. Resolves once it was written to the channel. */
  end: (exitCode: number) => Promise<void>;
  /** Calls the listener when the watcher has ended. */
  onAbandoned: (listener: () => void) => void;
}

let channel: WatchChannel | null = null;

/** Null without a watcher, as for other commands and in the library. */
export const currentChannel = (): WatchChannel | null => channel;

/**
 * To be called once, by the entry of a watched process.
 * @param stray holds what code writes to the descriptors of standard output and error; null where nothing does.
 */
export function openChannel(stray: StrayFile | null): WatchChannel {
  const continuation = readContinuation(process.env[CONTINUATION_VARIABLE]);
  // Not for the processes that this one starts.
  Reflect.deleteProperty(process.env, CONTINUATION_VARIABLE);
  const send = (message: FromRun, onSent?: () => void): void => sendToParent(message, onSent);
  channel = {
    continuation,
    stray,
    send: (message) => send(message),
    end: (exitCode) => new Promise((resolve) => send({ type: 'ended', exitCode }, resolve)),
    listener: (event) => {
      if (event.type !== 'run-started') return;
      const { runId, resumed } = event;
      send({ type: 'run', runId, results: resumed?.results ?? 0, running: resumed?.running ?? 0 });
    },
    onAbandoned: (listener) => {
      if (!process.connected) return listener();
      process.once('disconnect', listener);
      // The channel alone does not keep this process alive.
      process.channel?.unref();
    },
  };
  return channel;
}

/**
 * Sends the exit code once everything that was printed has been read. A process that does not end then is killed, which
 * loses nothing: Node waits for its threads at its exit, and one that is blocked in a system call or in native code may
 * never return. The watcher kills it too, because no code runs in a process that waits in its own exit; the timer here is
 * for a process whose watcher has ended.
 */
export async function endProcess(channel: WatchChannel): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) await drained(stream);
  await channel.end(Number(process.exitCode ?? 0));
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
