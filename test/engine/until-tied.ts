import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Engine } from '../../src/domain/engine.ts';
import { assignment, runStep, workstream } from '../kit/definitions.ts';

/** Who starts the commands of an agent: the pid of their parent. */
export async function starterOf(engine: Engine, agentId = 'agent-1'): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-tied-'));
  const given = assignment(folder, workstream('ws-a', [runStep('echo $PPID > parent')]), { agentId });
  await engine.execute(given, { signal: new AbortController().signal, onMessage: () => undefined });
  const pid = Number(readFileSync(join(folder, 'parent'), 'utf8'));
  rmSync(folder, { recursive: true });
  return pid;
}

/** Returns the engine once all its threads, which are that many, have their commands started by the command host. */
export async function untilTied(engine: Engine, threads: number): Promise<Engine> {
  for (;;) {
    const agents = Array.from({ length: threads }, (_, index) => `agent-${index + 1}`);
    const starters = await Promise.all(agents.map((agentId) => starterOf(engine, agentId)));
    if (!starters.includes(process.pid)) return engine;
  }
}
