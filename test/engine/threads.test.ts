import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { ThreadEngine } from '../../src/engine/threads.ts';
import { describeEngine } from '../conformance/engine.ts';
import { describeToolSteps } from '../conformance/tool-steps.ts';

const cacheFolder = mkdtempSync(join(tmpdir(), 'millrace-cache-'));
afterAll(() => rmSync(cacheFolder, { recursive: true }));

const create = () =>
  new ThreadEngine({ agents: 2, memoryMb: 64, logLevel: 'info', cacheFolder, onLate: () => undefined });

describeEngine('ThreadEngine', 'thread', create);
describeToolSteps('tool steps on ThreadEngine', create);
