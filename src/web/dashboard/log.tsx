/** What a workstream prints, or all of a run, followed while they do. Only the end of what is long is held. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { LogEvents, LogsEvents } from '../../domain/dashboard/answers.ts';
import { bytes, oneLine } from '../model/format.ts';
import { Words, WorkstreamLink } from '../parts.tsx';
import { pathOfRun } from './client.ts';
import { HeldLines } from './held-lines.ts';
import { LinesView } from './lines-view.tsx';
import { type LostSince, Stream } from './streams.ts';

type OnLost = (since: LostSince) => void;

/** What is followed, with the lines of it that are held. */
interface Followed {
  readonly held: HeldLines;
  close(): void;
}

/** A stream of this window alone, followed from where the server begins. */
function followedStream(
  address: string,
  names: readonly string[],
  onEvent: (name: string, data: string) => void,
  onLost: OnLost,
): Stream {
  const stream = new Stream(address, { names, parameter: 'from', isOwn: true, onEvent, onLost });
  stream.from(null);
  return stream;
}

/** The end of the log of one workstream. */
class LogTail implements Followed {
  readonly held = new HeldLines();
  readonly #stream: Stream;
  #to: number | null = null;

  constructor(runId: string, id: string, onLost: OnLost) {
    const address = `${pathOfRun(runId)}/logs/${encodeURIComponent(id)}/follow`;
    const names = ['text', 'reset', 'over'];
    this.#stream = followedStream(address, names, (name, data) => this.#hear(name, data), onLost);
  }

  close(): void {
    this.#stream.close();
    this.held.close();
  }

  #hear(name: string, data: string): void {
    if (name === 'text') this.#add(JSON.parse(data));
    else if (name === 'reset') {
      this.held.clear('— The log begins anew: another attempt. —');
      this.#to = 0;
    } else {
      this.held.isOver = true;
      this.#stream.close();
    }
    this.held.changed();
  }

  #add({ from, to, text }: LogEvents['text']): void {
    if (this.#to === null) this.held.isEndOnly = from > 0;
    else if (to <= this.#to) return;
    else if (from > this.#to) this.held.clear(leftOut(from - this.#to));
    this.held.isOver = false;
    this.held.size = this.#to = to;
    this.held.add('', text);
  }
}

/** Most logs of which it is known how far they were seen. */
const MOST_LOGS = 5000;

/** The end of what all workstreams of a run print. */
class RunTail implements Followed {
  readonly held = new HeldLines();
  readonly #stream: Stream;
  /** Up to where each log was seen, in bytes, by file; the last that was heard of is the last. */
  readonly #seen = new Map<string, number>();

  constructor(runId: string, onLost: OnLost) {
    const address = `${pathOfRun(runId)}/logs`;
    const names = ['lines', 'over'];
    this.#stream = followedStream(address, names, (name, data) => this.#hear(name, data), onLost);
  }

  close(): void {
    this.#stream.close();
    this.held.close();
  }

  #hear(name: string, data: string): void {
    if (name === 'lines') this.#add(JSON.parse(data));
    else {
      this.held.isOver = true;
      this.#stream.close();
    }
    this.held.changed();
  }

  /** What comes again after the connection was lost is left out, as far as it was seen. */
  #add({ workstreamId, log, from, to, text }: LogsEvents['lines']): void {
    const seen = this.#seen.get(log) ?? null;
    if (seen !== null && to <= seen) return;
    if (seen === null && from > 0) this.held.isEndOnly = true;
    if (seen !== null && from > seen) this.held.addWhole(workstreamId, leftOut(from - seen));
    this.held.addWhole(workstreamId, seen === null || from >= seen ? text : withoutBytes(text, seen - from));
    this.#seen.delete(log);
    this.#seen.set(log, to);
    const [oldest] = this.#seen.keys();
    if (this.#seen.size > MOST_LOGS && oldest !== undefined) this.#seen.delete(oldest);
  }
}

const leftOut = (size: number): string => `— ${bytes(size)} were left out here. —`;

const withoutBytes = (text: string, size: number): string =>
  new TextDecoder().decode(new TextEncoder().encode(text).subarray(size));

/** Follows for as long as it is shown. */
function useFollowed(follow: () => Followed, inputs: readonly unknown[]): HeldLines | null {
  const followed = useRef<Followed | null>(null);
  const isStarted = useSignal(false);
  useEffect(() => {
    followed.current = follow();
    isStarted.value = true;
    return () => {
      followed.current?.close();
      isStarted.value = false;
    };
  }, inputs);
  return isStarted.value ? (followed.current?.held ?? null) : null;
}

interface LogProps {
  runId: string;
  id: string;
  title: string;
  /** The host of a queue that executes it at the moment; null for none. */
  host: string | null;
  onLost: OnLost;
}

export function LogPage({ runId, id, title, host, onLost }: LogProps) {
  const held = useFollowed(() => new LogTail(runId, id, onLost), [runId, id]);
  return (
    <>
      <div class="hello">
        <h1>
          Log of <Words text={title} length={160} />
        </h1>
        <p class="q2">
          <WorkstreamLink id={id} title="All that is known of it" class="" />
        </p>
      </div>
      {held !== null && (
        <LinesView
          held={held}
          label={`Log of ${oneLine(id, 80)}`}
          nothing={
            host === null
              ? 'It has printed nothing so far.'
              : `It is executed on ${oneLine(host, 80)}: what it prints there comes with its result.`
          }
        />
      )}
    </>
  );
}

interface AllLogsProps extends Pick<LogProps, 'runId' | 'onLost'> {
  /** Whether hosts of a queue execute the run. */
  hasHosts: boolean;
}

/** What all workstreams of a run print. */
export function AllLogsPage({ runId, hasHosts, onLost }: AllLogsProps) {
  const held = useFollowed(() => new RunTail(runId, onLost), [runId]);
  return (
    <>
      <div class="hello">
        <h1>What all workstreams print</h1>
        <p class="q2">
          From the last lines of each log that is still written, and of the last hundred of the others.
          {hasHosts && ' What a workstream prints on a host comes with its result.'}
        </p>
      </div>
      {held !== null && (
        <LinesView
          held={held}
          label="Logs of all workstreams"
          hasNames
          nothing="Nothing has been printed so far."
        />
      )}
    </>
  );
}
