/** Runs that end before everything was run: --max-time and --fail-fast. */
import { describe, expect, test } from 'vitest';
import { MultiAgentWorkstreamCoordinator } from '../../src/app/multi-agent-workstream-coordinator.ts';
import { millrace, startMillrace, writeFiles } from '../kit/command.ts';
import { query } from '../kit/rows.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

function folderOf(definitions: object[]): string {
  const folder = temporaryFolder();
  writeFiles(folder, { 'workstreams/all.json': definitions });
  return folder;
}

const task = (id: string, run: string, fields: object = {}) => ({ id, ...fields, steps: [{ run }] });

const rows = (folder: string) =>
  Object.fromEntries(
    query<{ id: string; reason: string | null; status: string }>(
      folder,
      'SELECT workstream_id AS id, status, reason FROM agent_results',
    ).map(({ id, status, reason }) => [id, reason ?? status]),
  );

describe('--max-time', () => {
  test('interrupts what runs at that time, says so, and leaves the rest to be resumed', async () => {
    const folder = folderOf([
      task('ws-long', 'test -e done || sleep 600'),
      task('ws-after', 'true', { depends_on: ['ws-long'] }),
    ]);
    const ended = await millrace(folder, ['run', '--max-time', '1s', '--grace', '0']);
    expect(ended.code).toBe(1);
    expect(rows(folder)).toEqual({ 'ws-long': 'interrupted', 'ws-after': 'interrupted' });
    const shown = await millrace(folder, ['report', 'latest', '--format', 'md']);
    expect(shown.stdout).toContain('This run was interrupted by --max-time');
    expect(shown.stdout).toContain('it reached its --max-time of 1s');
    writeFiles(folder, { done: '' });
    const resumed = await millrace(folder, ['run', '--resume', '--max-time', '10m']);
    expect(resumed.code).toBe(0);
    expect(rows(folder)).toEqual({ 'ws-long': 'completed', 'ws-after': 'completed' });
  });

  test('means nothing to a run that ends before', async () => {
    const folder = folderOf([task('ws-a', 'true')]);
    expect((await millrace(folder, ['run', '--max-time', '1h30m'])).code).toBe(0);
  });
});

describe('--fail-fast', () => {
  test('skips the rest after the first failure', async () => {
    const folder = folderOf([task('ws-1', 'exit 3'), task('ws-2', 'touch ran'), task('ws-3', 'true')]);
    const { code, stdout } = await millrace(folder, ['run', '-j', '1', '--fail-fast', '--json']);
    expect(code).toBe(1);
    expect(rows(folder)).toEqual({ 'ws-1': 'exit-non-zero', 'ws-2': 'fail-fast', 'ws-3': 'fail-fast' });
    expect(stdout).toContain('a workstream had failed, and nothing more is started then (--fail-fast=1)');
  });

  test('lets what is running go on to its end', async () => {
    const folder = folderOf([
      task('ws-fails', 'until [ -e running ]; do sleep 0.02; done; exit 1'),
      task('ws-runs', 'touch running; until [ -e failed ]; do sleep 0.02; done'),
      task('ws-rest', 'true', { depends_on: ['ws-runs'] }),
    ]);
    const run = startMillrace(folder, ['run', '-j', '2', '--fail-fast=1']);
    await run.line((line) => line.includes('"workstream-finished"') && line.includes('"ws-fails"'));
    writeFiles(folder, { failed: '' });
    expect((await run.finished).code).toBe(1);
    expect(rows(folder)).toEqual({
      'ws-fails': 'exit-non-zero',
      'ws-runs': 'completed',
      'ws-rest': 'fail-fast',
    });
  });

  test('counts so many failures, or a share of all workstreams', async () => {
    const definitions = Array.from({ length: 10 }, (_, index) => task(`ws-${index}`, 'exit 1'));
    const failed = async (threshold: string): Promise<number> => {
      const folder = folderOf(definitions);
      await millrace(folder, ['run', '-j', '1', threshold]);
      return Object.values(rows(folder)).filter((reason) => reason === 'exit-non-zero').length;
    };
    expect(await failed('--fail-fast=3')).toBe(3);
    expect(await failed('--fail-fast=35%')).toBe(4);
    expect(await failed('--fail-fast=0')).toBe(10);
  });

  test('tries nothing again that waits for its next attempt', async () => {
    const folder = folderOf([
      task('ws-1', 'exit 1', { circuit_breaker: { max_attempts: 3, cooldown_seconds: 600 } }),
      task('ws-2', 'exit 1'),
    ]);
    await millrace(folder, ['run', '-j', '1', '--fail-fast']);
    expect(rows(folder)).toEqual({ 'ws-1': 'fail-fast', 'ws-2': 'exit-non-zero' });
  });

  test('leaves what was skipped to --retry-failed', async () => {
    const folder = folderOf([task('ws-1', 'test -e fixed'), task('ws-2', 'true')]);
    await millrace(folder, ['run', '-j', '1', '--fail-fast']);
    writeFiles(folder, { fixed: '' });
    expect((await millrace(folder, ['run', '--retry-failed'])).code).toBe(0);
  });

  test('takes a word after it that is no number for a workstream', async () => {
    const folder = folderOf([task('ws-1', 'true'), task('ws-2', 'true')]);
    await millrace(folder, ['run', '--fail-fast', 'ws-2']);
    expect(rows(folder)).toEqual({ 'ws-2': 'completed' });
  });

  test('is an option of the library too, as are the others', async () => {
    const cwd = folderOf([task('ws-1', 'exit 1'), task('ws-2', 'true')]);
    const coordinator = new MultiAgentWorkstreamCoordinator({
      cwd,
      agentsCount: 1,
      failFast: 1,
      maxTime: 600,
      cpus: 1,
      memory: 1000,
    });
    expect(await coordinator.run()).toBe(1);
    expect(rows(cwd)).toEqual({ 'ws-1': 'exit-non-zero', 'ws-2': 'fail-fast' });
  });
});
