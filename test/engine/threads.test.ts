import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { ThreadEngine } from '../../src/engine/threads.ts';
import { describeEngine } from '../conformance/engine.ts';

const cacheFolder = mkdtempSync(join(tmpdir(), 'millrace-cache-'));
afterAll(() => rmSync(cacheFolder, { recursive: true }));

describeEngine(
  'ThreadEngine',
  () => new ThreadEngine({ agents: 2, memoryMb: 64, logLevel: 'info', cacheFolder, onLate: () => undefined }),
);
