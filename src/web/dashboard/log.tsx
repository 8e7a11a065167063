/** What a workstream prints, or all of a run, followed while they do. Only the end of what is long is held. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { LogsEvents } from '../../domain/dashboard/answers.ts';
import { bytes, oneLine } from '../model/format.ts';
import { Words, WorkstreamLink } from '../parts.tsx';
import { pathOfRun } from './client.ts';
import { HeldLines } from './held-lines.ts';
import { LinesView } from './lines-view.tsx';
import { type LostSince, Stream } from './streams.ts';

type OnLost = (since: LostSince) => void;

/** Most logs of which it is known how far they were seen. */
const MOST_LOGS = 5000;

/** What is followed: an address, and what its events are. */
interface Followed {
  address: string;
  /** Whether lines come whole, each of one of many logs; otherwise as they are printed, of one. */
  isOfMany: boolean;
}

const ofOne = (runId: string, id: string): Followed => ({
  address: `${pathOfRun(runId)}/logs/${encodeURIComponent(id)}/follow`,
  isOfMany: false,
});

const ofAll = (runId: string): Followed => ({ address: `${pathOfRun(runId)}/logs`, isOfMany: true });

/** The end of what one workstream prints, or of what all of them do. What comes again is left out, as far as it was seen. */
class LogTail {
  readonly held = new HeldLines();
  readonly #followed: Followed;
  readonly #onLost: OnLost;
  #stream: Stream | null = null;
  /** Up to where each log was seen, in bytes; the last that was heard of is the last. */
  readonly #seen = new Map<string, number>();

  constructor(followed: Followed, onLost: OnLost) {
    this.#followed = followed;
    this.#onLost = onLost;
    this.goOn();
  }

  /** Follows from where the last stream ended; the first time from where the server begins. */
  goOn(): void {
    const { address, isOfMany } = this.#followed;
    const position = this.#stream?.cursor ?? null;
    this.#stream?.close();
    this.held.isOver = false;
    this.held.connection.value = 'none';
    // A stream of this window alone.
    this.#stream = new Stream(address, {
      names: [...(isOfMany ? ['lines'] : ['text', 'reset']), 'position', 'over'],
      parameter: 'from',
      isOwn: true,
      onEvent: (name, data) => this.#hear(name, data),
      onLost: (since) => {
        this.held.connection.value = since === null ? 'there' : 'lost';
        this.#onLost(since);
      },
    });
    this.#stream.from(position);
    this.held.changed();
  }

  close(): void {
    this.#stream?.close();
    this.held.close();
  }

  #hear(name: string, data: string): void {
    if (name === 'position') return;
    if (name === 'lines') this.#add(JSON.parse(data));
    else if (name === 'text') this.#add({ workstreamId: '', log: '', ...JSON.parse(data) });
    else if (name === 'reset') {
      this.held.clear('— The log begins anew: another attempt. —');
      this.#seen.clear();
    } else {
      this.held.isOver = true;
      this.#stream?.close();
    }
    this.held.changed();
  }

  #add({ workstreamId, log, from, to, text }: LogsEvents['lines']): void {
    const seen = this.#seen.get(log) ?? null;
    if (seen !== null && to <= seen) return;
    if (seen === null && from > 0) this.held.isEndOnly = true;
    if (seen !== null && from > seen) this.held.addWhole(workstreamId, leftOut(from - seen));
    const fresh = seen === null || from >= seen ? text : withoutBytes(text, seen - from);
    if (this.#followed.isOfMany) this.held.addWhole(workstreamId, fresh);
    else {
      this.held.add(workstreamId, fresh);
      this.held.size = to;
    }
    this.#note(log, to);
  }

  #note(log: string, to: number): void {
    this.#seen.delete(log);
    this.#seen.set(log, to);
    const [oldest] = this.#seen.keys();
    if (this.#seen.size > MOST_LOGS && oldest !== undefined) this.#seen.delete(oldest);
  }
}

const leftOut = (size: number): string => `— ${bytes(size)} were left out here. —`;

const withoutBytes = (text: string, size: number): string =>
  new TextDecoder().decode(new TextEncoder().encode(text).subarray(size));

/** What is over while it is seen to be written is asked for again after so many milliseconds. */
const AGAIN_MS = 1_000;

/** What is known of the run whose logs are followed. */
interface RunKnown {
  /** Whether the logs are seen to be written. */
  isWritten: boolean;
  /** How often the run was loaded: again where it was resumed. */
  loads: number;
}

/**
 * Follows for as long as it is shown. What is over goes on where it may be written again: a run that is killed and resumed at
 * once may never be seen not to be under way, and one that has ended again by then never to be under way.
 */
function useFollowed(followed: Followed, { isWritten, loads }: RunKnown, onLost: OnLost): HeldLines | null {
  const tail = useRef<LogTail | null>(null);
  const asked = useRef(loads);
  const isStarted = useSignal(false);
  useEffect(() => {
    tail.current = new LogTail(followed, onLost);
    isStarted.value = true;
    return () => {
      tail.current?.close();
      isStarted.value = false;
      onLost(null);
    };
  }, [followed.address]);
  const held = isStarted.value ? (tail.current?.held ?? null) : null;
  const isOver = held?.now.value.isOver === true;
  useEffect(() => {
    if (!isOver) return undefined;
    if (asked.current !== loads) tail.current?.goOn();
    asked.current = loads;
    if (!isWritten) return undefined;
    const timer = setInterval(() => {
      if (tail.current?.held.isOver === true) tail.current.goOn();
    }, AGAIN_MS);
    return () => clearInterval(timer);
  }, [isOver, isWritten, loads]);
  return held;
}

interface LogProps {
  runId: string;
  id: string;
  title: string;
  /** The host of a queue that executes it at the moment; null for none. */
  host: string | null;
  known: RunKnown;
  onLost: OnLost;
}

export function LogPage({ runId, id, title, host, known, onLost }: LogProps) {
  const held = useFollowed(ofOne(runId, id), known, onLost);
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

interface AllLogsProps extends Pick<LogProps, 'runId' | 'known' | 'onLost'> {
  /** Whether hosts of a queue execute the run. */
  hasHosts: boolean;
}

/** What all workstreams of a run print. */
export function AllLogsPage({ runId, hasHosts, known, onLost }: AllLogsProps) {
  const held = useFollowed(ofAll(runId), known, onLost);
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
