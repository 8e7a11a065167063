/** Server-sent events to one client, written straight to its connection: what many clients get is not copied for each. */
import type { ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import { HEARTBEAT, HEARTBEAT_MS } from '../domain/dashboard/heartbeat.ts';

/** A client that has not taken what it was sent for so many milliseconds is disconnected. It comes back by itself. */
const STALLED_MS = 30_000;

const encoder = new TextEncoder();

/** One message as it is sent. @param data must have no line ends, as JSON has none. */
export const eventBytes = (event: string, data: string, id?: string): Uint8Array =>
  encoder.encode(`${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${data}\n\n`);

const HEARTBEAT_EVENT = eventBytes(HEARTBEAT, '{}');

/** What takes messages as fast as it can. */
export interface EventClient {
  /** False while what it was sent last waits in memory. */
  readonly isReady: boolean;
  /** Called whenever it has become ready again. */
  onReady: () => void;
  send(bytes: Uint8Array): void;
  /** Ends the stream once everything is sent. */
  end(): void;
}

/** The answer to a request for events. */
export class ClientStream implements EventClient {
  readonly #response: ServerResponse;
  /** What is written goes to the connection itself, which takes a third less time than through the answer. */
  readonly #connection: Writable;
  readonly #gone = new AbortController();
  readonly #idle: NodeJS.Timeout;
  #stalled: NodeJS.Timeout | undefined;
  #isReady = true;
  #isGone = false;
  #isIdle = false;
  onReady: () => void = () => undefined;

  /** @param response whose headers, beside those of every stream, are set. */
  constructor(response: ServerResponse) {
    this.#response = response;
    // The end of the connection is the end of the stream, so that no message needs a frame around it.
    response.useChunkedEncodingByDefault = false;
    response.writeHead(200, {
      'Content-Type': 'text/event-stream',
      // A proxy is not to wait for more.
      'X-Accel-Buffering': 'no',
    });
    // An answer that waits behind others of its connection has none yet.
    this.#connection = response.socket ?? response;
    // What it begins with goes in one piece.
    this.#connection.cork();
    process.nextTick(() => this.#connection.uncork());
    response.flushHeaders();
    this.#connection.on('drain', () => this.#drained());
    response.once('close', () => this.#closed());
    this.#idle = setInterval(() => this.#sendWhereIdle(), HEARTBEAT_MS);
    if (response.destroyed) this.#closed();
  }

  /** Aborted when the client is gone, or the stream has ended. */
  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  /** Calls this once when the client is gone, or the stream has ended. */
  whenGone(then: () => void): void {
    if (this.signal.aborted) then();
    else this.signal.addEventListener('abort', then, { once: true });
  }

  get isReady(): boolean {
    return this.#isReady && !this.#isGone;
  }

  send(bytes: Uint8Array): void {
    if (this.#isGone) return;
    this.#isIdle = false;
    if (this.#connection.write(bytes) || !this.#isReady) return;
    this.#isReady = false;
    this.#stalled = setTimeout(() => this.#response.destroy(), STALLED_MS);
  }

  end(): void {
    this.#response.end();
  }

  /** Sends messages as they are made, each when the client has taken the one before, until it is gone. */
  async sendEach(messages: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const bytes of messages) {
      this.send(bytes);
      if (!this.#isReady && !this.#isGone) await new Promise<void>((resolve) => (this.onReady = resolve));
      if (this.#isGone) return;
    }
  }

  /** The same, and ends the stream. */
  async sendAll(messages: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      await this.sendEach(messages);
    } finally {
      this.end();
    }
  }

  #sendWhereIdle(): void {
    if (this.#isIdle && this.#isReady) this.send(HEARTBEAT_EVENT);
    this.#isIdle = true;
  }

  #drained(): void {
    clearTimeout(this.#stalled);
    this.#isReady = true;
    this.onReady();
  }

  #closed(): void {
    clearTimeout(this.#stalled);
    clearInterval(this.#idle);
    this.#isGone = true;
    this.#gone.abort();
    // Who waits for it goes on, and sees that it is gone.
    this.onReady();
  }
}
