import type { RunEvent } from '../domain/run-event.ts';

type Notice = Extract<RunEvent, { type: 'notice' }>;

/**
 * Sentences for a person, from any part of a run. Parts that the journal is made of have something to say too, so this
 * is made before it; what is added before `publishTo` waits for it.
 */
export class Notices {
  #publish: ((notice: Notice) => void) | null = null;
  readonly #waiting: Notice[] = [];

  /** @param workstreamId null where it concerns the whole run. */
  add(level: Notice['level'], text: string, workstreamId: string | null = null): void {
    const notice: Notice = { type: 'notice', level, text, workstreamId };
    if (this.#publish === null) this.#waiting.push(notice);
    else this.#publish(notice);
  }

  publishTo(publish: (notice: Notice) => void): void {
    this.#publish = publish;
    for (const notice of this.#waiting.splice(0)) publish(notice);
  }
}
