/** How long a connection waits for another process's lock. */
import type { Connection } from './connection.ts';

/** To say it takes as long as to write a small batch, so that it is only said where it differs from before. */
export class BusyTimeout {
  #connection: Connection | null = null;
  #milliseconds = 0;

  set(connection: Connection, milliseconds: number): void {
    if (this.#connection === connection && this.#milliseconds === milliseconds) return;
    connection.pragma(`busy_timeout = ${milliseconds}`);
    this.#connection = connection;
    this.#milliseconds = milliseconds;
  }
}
