/** The run's side of its socket: takes requests of the commands `stop` and `retry` and of the dashboard. */
import { createServer, type Server, type Socket } from 'node:net';
import { messageOf } from '../text/error-message.ts';
import { parsedLine, readLine, writeLast } from './line.ts';
import {
  CONTROL_VERSION,
  type ControlAnswer,
  type ControlRequest,
  controlRequestSchema,
} from './protocol.ts';
import { type ControlPlace, removeControlPlace } from './socket-place.ts';

/** How long a request may take to arrive, in milliseconds. */
const PATIENCE_MS = 5_000;
/** A client that connects while so many others do is not answered. */
const MOST_CONNECTIONS = 100;

export interface ControlServerParts {
  place: ControlPlace;
  /** Carries a request out; what it rejects with is sent to the client as a sentence. */
  handle: (request: ControlRequest) => Promise<ControlAnswer>;
}

/**
 * Listens from `open` to `close`. Neither the socket nor a connection keeps the process alive, and no child process
 * inherits them: Node opens them with close-on-exec.
 */
export class ControlServer {
  readonly #parts: ControlServerParts;
  readonly #server: Server;
  readonly #connections = new Set<Socket>();

  constructor(parts: ControlServerParts) {
    this.#parts = parts;
    this.#server = createServer((socket) => void this.#serve(socket));
    this.#server.maxConnections = MOST_CONNECTIONS;
    this.#server.unref();
  }

  /** Resolves with null once requests are taken, or with why they can't be. */
  open(): Promise<string | null> {
    return new Promise((resolve) => {
      this.#server.once('error', (error) => resolve(error.message));
      this.#server.listen(this.#parts.place.path, () => resolve(null));
    });
  }

  /** Ends all connections, and removes the socket. Idempotent. */
  close(): void {
    this.#server.close();
    for (const socket of this.#connections) socket.destroy();
    removeControlPlace(this.#parts.place.path);
  }

  async #serve(socket: Socket): Promise<void> {
    this.#connections.add(socket);
    socket.once('close', () => this.#connections.delete(socket)).unref();
    const found = await readLine(socket, PATIENCE_MS);
    if (typeof found === 'string') return void socket.destroy();
    writeLast(socket, await this.#answer(found.line));
  }

  async #answer(line: string): Promise<unknown> {
    const value = parsedLine(line);
    const request = controlRequestSchema.safeParse(value);
    if (!request.success) return refusal(whyUnreadable(value));
    try {
      return await this.#parts.handle(request.data);
    } catch (error) {
      return refusal(messageOf(error));
    }
  }
}

const refusal = (refused: string) => ({ version: CONTROL_VERSION, refused });

function whyUnreadable(value: unknown): string {
  const other = typeof value === 'object' && value !== null && 'version' in value ? value.version : null;
  if (typeof other === 'number' && other !== CONTROL_VERSION)
    return `The run takes requests of version ${CONTROL_VERSION}, and not of version ${other}: it was started by another version of Millrace.`;
  return 'The request is not one that this run knows.';
}
