import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, vi } from 'vitest';
import { ThreadEngine } from '../../src/engine/threads.ts';
import { describeEngine, inBatch } from '../conformance/engine.ts';
import { describeToolSteps } from '../conformance/tool-steps.ts';
import { engineSettings } from '../kit/engine-settings.ts';
import { untilTied } from './until-tied.ts';

const cacheFolder = mkdtempSync(join(tmpdir(), 'millrace-cache-'));
afterAll(() => rmSync(cacheFolder, { recursive: true }));

const create = (manyCommands = false) =>
  new ThreadEngine({ ...engineSettings(cacheFolder), agents: 2, memoryMb: 64, manyCommands });

describeEngine('ThreadEngine', 'thread', create);
describeEngine('ThreadEngine with a command host', 'thread', () => untilTied(create(true), 2));
describeEngine('ThreadEngine with the command host for Node', 'thread', () => {
  vi.stubEnv('MILLRACE_COMMAND_HOST', 'node');
  const engine = create(true);
  vi.unstubAllEnvs();
  return untilTied(engine, 2);
});
describeEngine('ThreadEngine in batches', 'thread', create, inBatch(0));
describeEngine('ThreadEngine in batches among others', 'thread', create, inBatch(5));
describeToolSteps('tool steps on ThreadEngine', create);
