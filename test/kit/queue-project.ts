/** A project whose workstreams are executed over a queue, and a folder outside it that all hosts share. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { type Started, startMillrace, writeFiles } from './command.ts';
import { QUEUE_KEY } from './redis.ts';
import { query } from './rows.ts';
import { temporaryFolder } from './temporary-folder.ts';

export class QueueProject {
  readonly folder = temporaryFolder();
  readonly shared = temporaryFolder();

  /**
   * @param commands by the id of their workstream; `$SHARED` in them is the shared folder.
   * @param fields more of workstreams, by id.
   */
  constructor(commands: Record<string, string>, fields: Record<string, object> = {}) {
    const entries = Object.entries(commands).map(([id, run]) => [
      `workstreams/${id}.json`,
      { id, title: id, steps: [{ run: run.replaceAll('$SHARED', this.shared) }], ...fields[id] },
    ]);
    writeFiles(this.folder, Object.fromEntries(entries));
  }

  /** It is killed when the test ends. */
  run(url: string, ...args: string[]): Started {
    const started = startMillrace(this.folder, ['run', '--queue', url, ...args], {
      MILLRACE_QUEUE_KEY: QUEUE_KEY,
    });
    onTestFinished(() => {
      if (started.child.exitCode === null && started.child.signalCode === null) started.killAll();
    });
    return started;
  }

  /** Makes a shared file, for which something waits. */
  make(name: string): void {
    writeFileSync(join(this.shared, name), '');
  }

  /** Of a shared file. */
  lines(name: string): string[] {
    const path = join(this.shared, name);
    return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
  }

  /** The reason, or else the status, of each workstream that has a row. */
  results(): Record<string, string> {
    const path = join(this.folder, '.state', 'multi_agent_consolidated.db');
    if (!existsSync(path)) return {};
    const rows = query<{ id: string; status: string; reason: string | null }>(
      this.folder,
      'SELECT workstream_id AS id, status, reason FROM agent_results',
    );
    return Object.fromEntries(rows.map(({ id, status, reason }) => [id, reason ?? status]));
  }
}

/** A shell line that notes which workstream begins. */
export const noting = 'echo $MILLRACE_WORKSTREAM_ID >> $SHARED/starts';
/** A shell line that waits for a shared file. */
export const waitFor = (name: string): string => `while [ ! -e $SHARED/${name} ]; do sleep 0.02; done`;

export async function succeeds({ finished }: Started): Promise<void> {
  const { code, stdout, stderr } = await finished;
  expect(code, stdout + stderr).toBe(0);
}
