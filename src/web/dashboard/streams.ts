/**
 * Streams of events that all windows of a browser share. HTTP/1.1 allows six connections to a server, whatever the number of
 * windows, and a stream keeps one: so one window holds the stream of an address, and hands on what it hears; when
 * it is closed, the stream passes to another, which goes on where that one was. At most `STREAMS` addresses are listened to at
 * once; where there are more, they take turns.
 */
import { HEARTBEAT, MOST_SILENCE_MS } from '../../domain/dashboard/heartbeat.ts';
import { alone, namesInUse, pause, until } from './alone.ts';
import { checkSession, isSignedOut } from './client.ts';

/** Of the six connections, those that streams may keep. */
const STREAMS = 4;

/** How long a stream is kept while others wait for its connection. */
const TURN_MS = 2000;

/** Time before a lost connection is tried again: doubled each time. */
const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 5000;

/** How often it is looked at for how long nothing was heard. */
const SILENCE_LOOK_MS = 10_000;

/** Since when there is no connection, in milliseconds since 1970; null while there is one, or it waits for its turn. */
export type LostSince = number | null;

export interface StreamListener {
  /** Names of the events. */
  names: readonly string[];
  /** Name of the parameter of the address that says where to go on. */
  parameter: 'after' | 'from';
  /** Whether each window has a stream of its own, since what is sent is of use only from where it began. */
  isOwn?: boolean;
  /** @param data JSON text. */
  onEvent: (name: string, data: string) => void;
  onLost: (since: LostSince) => void;
}

type Shared =
  | { kind: 'event'; name: string; data: string; cursor: string }
  | { kind: 'lost'; since: LostSince }
  /** The server has answered, but not with a stream. */
  | { kind: 'refused' };

/**
 * Listens to an address. What another window hears of it is heard from now on, so that nothing is missed while the cursor is
 * asked for; `from` begins to listen at that cursor. What was sent after it is heard at least once: a listener has to bear to
 * hear it again.
 */
export class Stream {
  readonly #address: string;
  /** Of what windows share of it. */
  readonly #name: string;
  readonly #listener: StreamListener;
  readonly #channel: BroadcastChannel;
  readonly #closing = new AbortController();
  #cursor: string | null = null;
  /** As whichever window holds the stream has found out. */
  #lostSince: LostSince = null;

  constructor(address: string, listener: StreamListener) {
    this.#address = address;
    this.#listener = listener;
    this.#name = `millrace ${address}${listener.isOwn === true ? ` ${Math.random()}` : ''}`;
    this.#channel = new BroadcastChannel(this.#name);
    this.#channel.onmessage = ({ data }: MessageEvent<Shared>) => this.#take(data);
  }

  /** Where to go on after what was heard last; null as long as that is not known. */
  get cursor(): string | null {
    return this.#cursor;
  }

  /** @param cursor null for what happens from now on. */
  from(cursor: string | null): void {
    this.#cursor ??= cursor;
    const { signal } = this.#closing;
    void alone(this.#name, signal, async (held) => {
      while (!held.aborted) await inTurn(this.#address, held, (turn) => this.#keepOpen(turn, held));
    });
  }

  close(): void {
    this.#closing.abort();
    this.#channel.close();
  }

  #take(shared: Shared): void {
    if (this.#closing.signal.aborted) return;
    if (shared.kind === 'refused') return void checkSession();
    if (shared.kind === 'lost') {
      this.#lostSince = shared.since;
      // Whom it sends a stream the server knows, as where another window has signed in.
      if (shared.since === null) isSignedOut.value = false;
      return this.#listener.onLost(shared.since);
    }
    if (shared.cursor !== '') this.#cursor = shared.cursor;
    this.#listener.onEvent(shared.name, shared.data);
  }

  #tell(shared: Shared): void {
    if (this.#closing.signal.aborted) return;
    this.#channel.postMessage(shared);
    this.#take(shared);
  }

  /**
   * Keeps the stream open until the turn is over, and opens it again whenever it is lost.
   * @param held aborted when this window has the stream no more.
   */
  async #keepOpen(turn: AbortSignal, held: AbortSignal): Promise<void> {
    let wait = FIRST_RETRY_MS;
    while (!turn.aborted) {
      const source = new EventSource(this.#next());
      const silence = new Silence();
      source.onopen = () => {
        wait = FIRST_RETRY_MS;
        silence.begin();
        this.#tell({ kind: 'lost', since: null });
      };
      this.#listen(source, () => silence.begin());
      await until(turn, (resolve) => {
        source.addEventListener('error', resolve);
        silence.onTooLong = resolve;
      });
      const { readyState } = source;
      source.close();
      silence.end();
      // A turn is shorter than the longest silence: one in which nothing was answered counts as that.
      const isTurnOver = turn.aborted && readyState === EventSource.CONNECTING;
      const isSilent = silence.isLonger(isTurnOver ? TURN_MS : MOST_SILENCE_MS);
      const since = this.#lostSince ?? (isSilent ? silence.since : Date.now());
      if (!held.aborted && (isSilent || !turn.aborted)) this.#tell({ kind: 'lost', since });
      if (turn.aborted) return;
      if (readyState === EventSource.CLOSED) this.#tell({ kind: 'refused' });
      // Silence was a wait already, and timers of a window that nobody sees may take a minute.
      if (isSilent) continue;
      await pause(wait, turn);
      wait = Math.min(LAST_RETRY_MS, wait * 2);
    }
  }

  /** @param heard called for whatever comes. */
  #listen(source: EventSource, heard: () => void): void {
    source.addEventListener(HEARTBEAT, heard);
    for (const name of this.#listener.names)
      source.addEventListener(name, ({ data, lastEventId }: MessageEvent<string>) => {
        heard();
        this.#tell({ kind: 'event', name, data, cursor: lastEventId });
      });
  }

  #next(): string {
    const { parameter } = this.#listener;
    return this.#cursor === null
      ? this.#address
      : `${this.#address}?${parameter}=${encodeURIComponent(this.#cursor)}`;
  }
}

/**
 * For how long nothing was heard of a connection. It is looked at by the time of day as well, as the other clock may stand still
 * while a computer sleeps, and that one may be set back.
 */
class Silence {
  /** Called when it is too long. */
  onTooLong: () => void = () => undefined;
  #time = Date.now();
  #at = performance.now();
  #looking: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    this.begin();
  }

  /** In milliseconds since 1970. */
  get since(): number {
    return Date.now() - this.#length;
  }

  isLonger(ms: number): boolean {
    return this.#length >= ms;
  }

  get #length(): number {
    return Math.max(Date.now() - this.#time, performance.now() - this.#at);
  }

  /** Something was heard. */
  begin(): void {
    this.#time = Date.now();
    this.#at = performance.now();
    this.#lookLater();
  }

  end(): void {
    clearTimeout(this.#looking);
  }

  /** Begun anew whenever something is heard: of a long chain of timers a browser lets one a minute pass in a hidden window. */
  #lookLater(): void {
    clearTimeout(this.#looking);
    this.#looking = setTimeout(() => {
      if (this.isLonger(MOST_SILENCE_MS)) this.onTooLong();
      else this.#lookLater();
    }, SILENCE_LOOK_MS);
  }
}

/** Does something with one of the connections, until the turn is over that it is given. */
async function inTurn(
  address: string,
  signal: AbortSignal,
  work: (turn: AbortSignal) => Promise<void>,
): Promise<void> {
  const name = connectionName((await freeConnection()) ?? numberOf(address));
  await alone(name, signal, async (held) => {
    const turn = new AbortController();
    const end = (): void => turn.abort();
    held.addEventListener('abort', end);
    void othersWait(name, turn.signal).then(end);
    await work(turn.signal);
    held.removeEventListener('abort', end);
    end();
  });
}

const connectionName = (number: number): string => `millrace connection ${number}`;

async function freeConnection(): Promise<number | null> {
  const { held } = await namesInUse();
  const free = Array.from({ length: STREAMS }, (_, number) => number).find(
    (number) => !held.has(connectionName(number)),
  );
  return free ?? null;
}

/** Always the same connection for an address, so that who waits for one has it in the end. */
const numberOf = (address: string): number =>
  Array.from(address).reduce((sum, char) => (sum * 31 + (char.codePointAt(0) ?? 0)) % 9973, 0) % STREAMS;

/** Resolves when others have waited for the lock at the end of a turn. */
async function othersWait(name: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await pause(TURN_MS, signal);
    const { waited } = await namesInUse();
    if (waited.has(name)) return;
  }
}
