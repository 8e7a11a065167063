/** Messages for any number of clients, each of which takes them as fast as it can. */
import type { EventClient } from './client-stream.ts';

interface Sent {
  position: number;
  bytes: Uint8Array;
}

/** Bytes of messages that are kept for clients which read slowly. */
const KEPT_BYTES = 1_000_000;

/** Messages are sent together up to so many bytes. */
const PART_BYTES = 64_000;

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
  /** By client: after which position it is sent what comes. */
  readonly #clients = new Map<EventClient, { position: number; missed: Uint8Array }>();
  #isSending = false;

  /** After the last message. */
  get position(): number {
    return this.#position;
  }

  publish(bytes: Uint8Array): void {
    this.#kept.push({ position: ++this.#position, bytes });
    this.#keptBytes += bytes.length;
    while (this.#keptBytes > KEPT_BYTES && this.#kept.length > 1) this.#drop();
    this.#sendSoon();
  }

  replace(kind: string, bytes: Uint8Array): void {
    this.#newest.set(kind, { position: ++this.#position, bytes });
    this.#sendSoon();
  }

  /** What was replaced last of a kind, in the words of now: who has been sent it is not sent it again. */
  renew(kind: string, bytes: Uint8Array): void {
    const sent = this.#newest.get(kind);
    if (sent !== undefined) this.#newest.set(kind, { ...sent, bytes });
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
   * Sends a client what comes after a position, until it leaves.
   * @param missed sent instead, as the last message, to a client that was too slow for all of it.
   */
  enter(client: EventClient, position: number, missed: Uint8Array): void {
    this.#clients.set(client, { position, missed });
    client.onReady = () => this.#send(client);
    this.#sendSoon();
  }

  leave(client: EventClient): void {
    this.#clients.delete(client);
  }

  /** When all that is published at this moment is known, so that it is sent in one piece. */
  #sendSoon(): void {
    if (this.#isSending || this.#clients.size === 0) return;
    this.#isSending = true;
    queueMicrotask(() => {
      this.#isSending = false;
      for (const client of this.#clients.keys()) this.#send(client);
    });
  }

  #send(client: EventClient): void {
    const at = this.#clients.get(client);
    if (at === undefined) return;
    while (client.isReady && at.position < this.#position) {
      if (at.position < this.#dropped) {
        this.leave(client);
        client.send(at.missed);
        client.end();
        return;
      }
      const part = this.#since(at.position);
      // Of what was forgotten nothing is sent.
      at.position = part?.position ?? this.#position;
      if (part !== null) client.send(part.bytes);
    }
  }

  /** What comes after a position, in one piece that all clients share which are there; null for nothing. */
  #since(from: number): Sent | null {
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
}
