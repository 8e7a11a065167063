import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { describeFailure } from '../../src/domain/failure-message.ts';
import type { Workstream } from '../../src/domain/workstream.ts';
import { ProcessEngine } from '../../src/engine/processes.ts';
import { hasProcessTable } from '../../src/os/process-table.ts';
import { describeEngine } from '../conformance/engine.ts';
import { describeToolSteps } from '../conformance/tool-steps.ts';
import { assignment, moduleStep, workstream } from '../kit/definitions.ts';
import { engineSettings } from '../kit/engine-settings.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const cacheFolder = mkdtempSync(join(tmpdir(), 'millrace-cache-'));
afterAll(() => rmSync(cacheFolder, { recursive: true }));

const create = () => new ProcessEngine({ ...engineSettings(cacheFolder), memoryMb: 64 });

describeEngine('ProcessEngine', 'process', create);
describeToolSteps('tool steps on ProcessEngine', create);

const behaviours = fileURLToPath(new URL('../fixtures/modules/behaviours.mjs', import.meta.url));

async function run(name: string, fields: Partial<Workstream> = {}) {
  const engine = create();
  const folder = temporaryFolder();
  const definition = workstream('ws-a', [moduleStep(behaviours, name)], fields);
  const options = { signal: new AbortController().signal, onMessage: () => undefined };
  const outcome = await engine.execute(assignment(folder, definition), options);
  await engine.close();
  return outcome;
}

const sentence = async (name: string, fields: Partial<Workstream> = {}): Promise<string> => {
  const { failure } = await run(name, fields);
  return failure === null ? 'completed' : describeFailure(failure);
};

test.runIf(hasProcessTable)('400 MB in Buffers are too much for a limit of 64 MB', async () => {
  expect(await sentence('holdsBuffers')).toContain('held more than its memory limit of 64 MB');
});

test("a workstream's own limit goes before that of all", async () => {
  expect(await sentence('usesUpHeap', { memoryLimitMb: 32 })).toContain('heap of 32 MB');
});

test('what Node says last is in its log', async () => {
  const { logFile } = await run('usesUpHeap');
  expect(readFileSync(logFile ?? '', 'utf8')).toContain('JavaScript heap out of memory');
});

test('its code may change the working folder', async () => {
  expect(await sentence('changesFolder')).toBe('completed');
});
