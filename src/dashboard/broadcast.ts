/** Server-sent events for any number of clients, each of which reads as fast as it can. */

interface Sent {
  position: number;
  bytes: Uint8Array;
}

/** Bytes of messages that are kept for clients which read slowly. */
const KEPT_BYTES = 2_000_000;

/** Messages are sent together up to so many bytes. */
const PART_BYTES = 64_000;

/** After so many milliseconds without a message a client gets a comment, so that a dead connection is noticed. */
const IDLE_MS = 15_000;

/** A client that has not taken what it was sent for so many milliseconds is disconnected. It comes back by itself. */
const STALLED_MS = 30_000;

const encoder = new TextEncoder();

/** One message as it is sent. @param data must have no line ends, as JSON has none. */
export const eventBytes = (event: string, data: string, id?: string): Uint8Array =>
  encoder.encode(`${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${data}\n\n`);

const COMMENT = encoder.encode(':\n\n');

/** The first of these messages in one piece; null for none. */
function joined(messages: readonly Sent[]): Sent | null {
  let length = 0;
  const taken = messages.filter(({ bytes }, index) => {
    length += bytes.length;
    return index === 0 || length <= PART_BYTES;
  });
  const last = taken.at(-1);
  if (last === undefined) return null;
  const all = taken.map(({ bytes }) => bytes);
  return { position: last.position, bytes: taken.length === 1 ? last.bytes : Buffer.concat(all) };
}

/**
 * Messages that are made once for all clients. Of `publish` a client gets every one, or is told that it has missed some;
 * of `replace` it gets the newest of each kind. What is kept is bounded, however many clients there are.
 */
export class Broadcast {
  #position = 0;
  #kept: Sent[] = [];
  #keptBytes = 0;
  /** Of the last message that is not kept any more. */
  #dropped = 0;
  /** What was sent last, from which position, and how far the messages went then. */
  #lastPart: { from: number; upTo: number; part: Sent | null } | null = null;
  readonly #newest = new Map<string, Sent>();
  readonly #sleepers = new Set<() => void>();

  /** After the last message. */
  get position(): number {
    return this.#position;
  }

  publish(bytes: Uint8Array): void {
    this.#kept.push({ position: ++this.#position, bytes });
    this.#keptBytes += bytes.length;
    while (this.#keptBytes > KEPT_BYTES && this.#kept.length > 1) this.#drop();
    this.#wakeAll();
  }

  replace(kind: string, bytes: Uint8Array): void {
    this.#newest.set(kind, { position: ++this.#position, bytes });
    this.#wakeAll();
  }

  /** Nothing of this kind is true any more. */
  forget(kind: string): void {
    this.#newest.delete(kind);
  }

  /** What was replaced last of each kind, for a client that has just come. */
  get newest(): Uint8Array[] {
    return Array.from(this.#newest.values(), ({ bytes }) => bytes);
  }

  /**
   * What is sent after a position, until `signal` is aborted.
   * @param missed sent instead, as the last message, to a client that was too slow for all of it.
   */
  async *after(
    from: number,
    { missed, signal }: { missed: Uint8Array; signal: AbortSignal },
  ): AsyncGenerator<Uint8Array, void, undefined> {
    let position = from;
    while (!signal.aborted) {
      if (position < this.#dropped) {
        yield missed;
        return;
      }
      const part = this.#since(position);
      // Of what was forgotten nothing is sent.
      position = part?.position ?? this.#position;
      if (part !== null) yield part.bytes;
      if (position === this.#position && (await this.#isIdle(signal))) yield COMMENT;
    }
  }

  /** What comes after a position, in one piece that all clients share which are there; null for nothing. */
  #since(from: number): Sent | null {
    if (from === this.#position) return null;
    const last = this.#lastPart;
    if (last?.from === from && last.upTo === this.#position) return last.part;
    const part = joined(this.#messagesAfter(from));
    this.#lastPart = { from, upTo: this.#position, part };
    return part;
  }

  #messagesAfter(from: number): Sent[] {
    const known = this.#kept.findLastIndex(({ position }) => position <= from);
    const newest = [...this.#newest.values()].filter(({ position }) => position > from);
    return [...this.#kept.slice(known + 1), ...newest].toSorted((a, b) => a.position - b.position);
  }

  #drop(): void {
    const dropped = this.#kept.shift();
    this.#keptBytes -= dropped?.bytes.length ?? 0;
    this.#dropped = dropped?.position ?? this.#dropped;
  }

  #wakeAll(): void {
    for (const wake of this.#sleepers) wake();
  }

  /** Waits for a message; true where none came for long. */
  #isIdle(signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (isIdle: boolean) => (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        this.#sleepers.delete(wake);
        resolve(isIdle);
      };
      const wake = end(false);
      const timer = setTimeout(end(true), IDLE_MS);
      signal.addEventListener('abort', wake);
      this.#sleepers.add(wake);
    });
  }
}

/**
 * The body of an answer of server-sent events: made while the client takes it, so that no more than one piece waits for
 * it. @param onEnd called once, when the client or the messages are gone.
 */
export function eventStream(
  messages: (signal: AbortSignal) => AsyncGenerator<Uint8Array, void, undefined>,
  onEnd: () => void,
): ReadableStream<Uint8Array> {
  const gone = new AbortController();
  const iterator = messages(gone.signal);
  let stalled: NodeJS.Timeout | undefined;
  const end = (): void => {
    clearTimeout(stalled);
    if (gone.signal.aborted) return;
    gone.abort();
    onEnd();
  };
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        clearTimeout(stalled);
        const next = await iterator.next();
        if (next.done === true) {
          end();
          controller.close();
          return;
        }
        stalled = setTimeout(() => {
          end();
          controller.error(new Error('the client takes nothing any more'));
        }, STALLED_MS);
        controller.enqueue(next.value);
      },
      cancel: end,
    },
    { highWaterMark: 0 },
  );
}
