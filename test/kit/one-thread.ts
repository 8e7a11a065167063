/** One thread that executes steps, with what it says besides their outcome. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { EngineMessage } from '../../src/domain/engine.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import type { Step } from '../../src/domain/workstream.ts';
import { ThreadEngine } from '../../src/engine/threads.ts';
import { assignment, workstream } from './definitions.ts';
import { engineSettings } from './engine-settings.ts';
import { temporaryFolder } from './temporary-folder.ts';

export interface Executed {
  outcome: Outcome;
  /** Why the thread was replaced after it. */
  replaced: string[];
}

/** One for all tests of a file. It ends with them. */
export function oneThread(): OneThread {
  const thread = new OneThread();
  afterAll(() => thread.close());
  return thread;
}

export class OneThread {
  readonly cacheFolder = mkdtempSync(join(tmpdir(), 'millrace-cache-'));
  readonly #engine: ThreadEngine;
  /** What came from a workstream after its end: its id and the text. */
  readonly lates: string[] = [];

  constructor() {
    this.#engine = new ThreadEngine({
      ...engineSettings(this.cacheFolder),
      agents: 1,
      manyCommands: false,
      onLate: (id, text) => this.lates.push(`${id}: ${text}`),
    });
  }

  async close(): Promise<void> {
    await this.#engine.close();
    rmSync(this.cacheFolder, { recursive: true });
  }

  async run(steps: Step[], id = 'ws-a', folder = temporaryFolder()): Promise<Executed> {
    const messages: EngineMessage[] = [];
    const outcome = await this.#engine.execute(assignment(folder, workstream(id, steps)), {
      signal: new AbortController().signal,
      onMessage: (message) => messages.push(message),
    });
    const replaced = messages.flatMap((message) => (message.type === 'replaced' ? [message.why] : []));
    return { outcome, replaced };
  }
}
