/** The dashboard as a command: beside a run, and as what acts on one. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { millrace } from '../kit/command.ts';
import { gated, gatedFolder, letEnd, mergingFolder, runUntil, startDashboard } from '../kit/dashboard.ts';
import { ask, fromPage } from '../kit/dashboard-server.ts';
import { followStream, type StreamedEvent } from '../kit/event-stream.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const TOKEN = 'a-token-of-the-test-0123456789';

describe('millrace dashboard', () => {
  test('is not for other machines without a token of the user', async () => {
    const { code, stderr } = await millrace(temporaryFolder(), [
      'dashboard',
      '--host',
      '0.0.0.0',
      '--port',
      '0',
    ]);
    expect(code).toBe(2);
    expect(stderr).toContain('--token-file FILE or MILLRACE_DASHBOARD_TOKEN');
  });

  test('takes no token that can be guessed', async () => {
    const env = { MILLRACE_DASHBOARD_TOKEN: 'short' };
    const { code, stderr } = await millrace(temporaryFolder(), ['dashboard', '--port', '0'], env);
    expect(code).toBe(2);
    expect(stderr).toContain('a token has at least 16');
    expect(stderr).not.toContain('short');
  });

  test('prints no token that the user has given', async () => {
    const { address, child, finished } = await startDashboard(temporaryFolder(), '0', TOKEN);
    child.kill('SIGTERM');
    const { code, stdout, stderr } = await finished;
    expect(code).toBe(143);
    expect(address).not.toContain('token');
    expect(stdout + stderr).not.toContain(TOKEN);
  });

  test('says what to do where its port is taken', async () => {
    const folder = temporaryFolder();
    const { address } = await startDashboard(folder);
    const { port } = new URL(address);
    const { code, stderr } = await millrace(folder, ['dashboard', '--port', port]);
    expect(code).toBe(3);
    expect(stderr).toContain(`port ${port}: `);
    expect(stderr).toContain('Name another --port, or 0');
  });

  test('stops a workstream of a run under way, which goes on', async () => {
    const folder = gatedFolder([gated('ws-a'), gated('ws-b')], ['ws-a', 'ws-b']);
    const run = await runUntil(folder, ['ws-a', 'ws-b']);
    const { address } = await startDashboard(folder, '0', TOKEN);
    const at = { port: Number(new URL(address).port) };
    const replied = await ask(at, `/api/runs/${run.runId}/stop`, {
      method: 'POST',
      headers: { ...fromPage(at), authorization: `Bearer ${TOKEN}` },
      body: { workstreams: ['ws-a', 'ws-none'] },
    });
    expect(replied.json()['results']).toMatchObject([
      { workstreamId: 'ws-a', did: 'stopping' },
      { workstreamId: 'ws-none' },
    ]);
    await letEnd(folder, 'ws-b');
    const { code, stdout } = await run.finished;
    expect(code).toBe(1);
    expect(stdout).toContain('"reason":"cancelled"');
  });

  test('says that a run which has ended can’t be asked', async () => {
    const folder = gatedFolder([{ id: 'ws-a', steps: [{ run: 'true' }] }], []);
    const { finished } = await runUntil(folder, ['ws-a']);
    await finished;
    const { address } = await startDashboard(folder, '0', TOKEN);
    const at = { port: Number(new URL(address).port) };
    const headers = { ...fromPage(at), authorization: `Bearer ${TOKEN}` };
    const asked = { method: 'POST', headers, body: { workstreams: ['ws-a'] } };
    const { status, json } = await ask(at, '/api/runs/latest/retry', asked);
    expect([status, json()['error']]).toEqual([409, 'not-there']);
  });
});

describe('the events of a run', () => {
  const headers = { authorization: `Bearer ${TOKEN}` };

  /** Whether an event has a result whose work is in this state. */
  const says =
    (id: string, merge: string) =>
    ({ event, data }: StreamedEvent): boolean =>
      event === 'rows' &&
      (data as { rows: { id: string; merge?: string }[] }).rows.some(
        (row) => row.id === id && row.merge === merge,
      );
  const isNamed =
    (name: string) =>
    ({ event }: StreamedEvent): boolean =>
      event === name;

  test('tell what is merged while it goes on, to clients that come back too, and after it was killed', async () => {
    const folder = mergingFolder();
    const { address } = await startDashboard(folder, '0', TOKEN);
    const run = await runUntil(folder, ['ws-gated', 'ws-held']);
    const path = `${new URL(address).origin}/api/runs/${run.runId}`;
    const first = await followStream(`${path}/events?after=0.0.0.0`, headers);
    const { id: pending } = await first.until(says('ws-left', 'pending'));
    run.killAll();
    await first.until(isNamed('over'));
    await runUntil(folder, ['ws-gated', 'ws-held'], ['--resume']);
    await first.until(isNamed('reload'));
    const answered = await fetch(path, { headers });
    const { cursor } = (await answered.json()) as { cursor: string };
    await letEnd(folder, 'merge');
    const { id: merged } = await first.until(says('ws-left', 'merged'));
    await letEnd(folder, 'ws-gated');
    await first.until(says('ws-right', 'conflict'));
    // All of it was told before the end.
    const missed = await followStream(`${path}/events?after=${cursor}`, headers);
    await missed.until(says('ws-left', 'merged'));
    const later = await followStream(`${path}/events?after=${merged}`, headers);
    await later.until(says('ws-right', 'conflict'));
    const old = await followStream(`${path}/events?after=${pending}`, headers);
    await old.until(isNamed('reload'));
    await letEnd(folder, 'ws-held');
    for (const stream of [first, missed, later]) await stream.until(isNamed('over'));
  });
});

describe('run --dashboard', () => {
  test('has a dashboard as long as the run is under way, whose token is in no log', async () => {
    const folder = gatedFolder([gated('ws-a')], ['ws-a']);
    const run = await runUntil(folder, ['ws-a'], ['--dashboard']);
    await run.line((line) => line.includes('The dashboard is at'));
    const file = join(folder, '.state/dashboard.json');
    const { port, token } = JSON.parse(readFileSync(file, 'utf8')) as { port: number; token: string };
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const { json } = await ask({ port }, '/api/runs/latest', {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(json()).toMatchObject({
      runId: run.runId,
      live: { total: 1, running: [{ workstreamId: 'ws-a' }] },
    });
    await letEnd(folder, 'ws-a');
    const { code, stdout, stderr } = await run.finished;
    expect(code).toBe(0);
    expect(stdout + stderr).not.toContain(token);
    expect(existsSync(file)).toBe(false);
    await expect
      .poll(
        () =>
          ask({ port }, '/').then(
            () => 'there',
            () => 'gone',
          ),
        { timeout: 30_000 },
      )
      .toBe('gone');
  });

  test('leaves a file with its address where it is killed with the run, which the next command removes', async () => {
    const folder = gatedFolder([gated('ws-a')], ['ws-a']);
    const run = await runUntil(folder, ['ws-a'], ['--dashboard']);
    await run.line((line) => line.includes('The dashboard is at'));
    const file = join(folder, '.state/dashboard.json');
    run.killAll();
    await run.finished;
    expect(existsSync(file)).toBe(true);
    await startDashboard(folder, '0', TOKEN);
    expect(existsSync(file)).toBe(false);
  });

  test('keeps the file of a run that is under way, whatever is started beside it', async () => {
    const folder = gatedFolder([gated('ws-a')], ['ws-a']);
    const run = await runUntil(folder, ['ws-a'], ['--dashboard']);
    await run.line((line) => line.includes('The dashboard is at'));
    await startDashboard(folder, '0', TOKEN);
    expect(existsSync(join(folder, '.state/dashboard.json'))).toBe(true);
    await letEnd(folder, 'ws-a');
    await run.finished;
  });

  test('says why the dashboard could not be started, and goes on', async () => {
    const folder = gatedFolder([gated('ws-a')], ['ws-a']);
    const run = await runUntil(folder, ['ws-a'], ['--dashboard'], { MILLRACE_DASHBOARD_TOKEN: 'short' });
    await run.line(
      (line) => line.includes('The dashboard says: ') && line.includes('a token has at least 16'),
    );
    await run.line((line) => line.includes('The dashboard ended by itself'));
    await letEnd(folder, 'ws-a');
    expect((await run.finished).code).toBe(0);
  });
});
