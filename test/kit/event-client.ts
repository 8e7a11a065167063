/** A client of server-sent events that keeps what it is sent, and takes more when the test says so. */
import type { EventClient } from '../../src/dashboard/client-stream.ts';

export class KeepingClient implements EventClient {
  readonly taken: Uint8Array[] = [];
  isReady = true;
  hasEnded = false;
  onReady: () => void = () => undefined;

  send(bytes: Uint8Array): void {
    this.taken.push(bytes);
  }

  end(): void {
    this.hasEnded = true;
  }

  becomeReady(): void {
    this.isReady = true;
    this.onReady();
  }

  get text(): string {
    return this.taken.map((bytes) => new TextDecoder().decode(bytes)).join('');
  }
}
