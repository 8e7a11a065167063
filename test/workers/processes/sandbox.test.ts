import { readFileSync, symlinkSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Sandbox } from '../../../src/domain/policy/sandbox.ts';
import { containedCommand, type SandboxMount } from '../../../src/os/bubblewrap.ts';
import { makeTemporaryFolder } from '../../../src/os/temporary-folders.ts';
import { isListed, startProxy } from '../../../workers/processes/network-proxy.ts';
import { containmentFailure, containmentOf } from '../../../workers/processes/sandbox.ts';
import { writeFiles } from '../../kit/command.ts';
import { makeRepository } from '../../kit/repository.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

const BWRAP: Sandbox = { kind: 'bwrap', write: [], read: [], hide: [] };

function accessIn(workspace: string, home: string, sandbox = BWRAP): (path: string) => string | undefined {
  const place = {
    workspace,
    state: join(workspace, '.state'),
    own: [],
    copies: temporaryFolder(),
    tool: 'codex' as const,
    env: { HOME: home },
  };
  const view = containmentOf(sandbox, place);
  if ('reason' in view) throw new Error(JSON.stringify(view));
  return (path) => view.mounts.find((mount) => mount.path === path)?.access;
}

describe('the view of a contained command', () => {
  test('has the workspace to write, its repository to read, and the state of Millrace hidden', () => {
    const workspace = makeRepository({ '.state/secret': 'x', 'millrace.config.json': '{}' });
    const access = accessIn(workspace, temporaryFolder());
    expect(access(workspace)).toBe('write');
    expect(access(join(workspace, '.git'))).toBe('read');
    expect(access(join(workspace, 'millrace.config.json'))).toBe('read');
    expect(access(join(workspace, '.state'))).toBe('hidden');
  });

  test("hides keys and the logins of other tools, and has the tool's own state to write but for its settings", () => {
    const home = temporaryFolder();
    writeFiles(home, {
      '.ssh/id': 'key',
      '.netrc': 'key',
      '.claude/.credentials.json': 'key',
      '.codex/config.toml': '',
    });
    const access = accessIn(temporaryFolder(), home);
    expect(['.ssh', '.netrc', '.claude'].map((name) => access(join(home, name)))).toEqual(
      Array(3).fill('hidden'),
    );
    expect(access(home)).toBe('read');
    expect(access(join(home, '.codex'))).toBe('write');
    expect(access(join(home, '.codex/config.toml'))).toBe('read');
  });

  test("makes a tool's settings that are not there, empty, so that contained work can't", () => {
    const home = temporaryFolder();
    const access = accessIn(temporaryFolder(), home);
    expect(access(join(home, '.codex/rules'))).toBe('read');
    expect(access(join(home, '.codex/hooks.json'))).toBe('read');
    expect(readFileSync(join(home, '.codex/hooks.json'), 'utf8')).toBe('{}\n');
  });

  test("is refused where a tool's settings are a link, which contained work could replace", () => {
    const home = temporaryFolder();
    writeFiles(home, { '.codex/sessions/a': '', 'dotfiles/config.toml': '' });
    symlinkSync(join(home, 'dotfiles/config.toml'), join(home, '.codex/config.toml'));
    expect(() => accessIn(temporaryFolder(), home)).toThrow(/config\.toml is a link/);
  });

  test('hides what a link leads to, and not the link', () => {
    const home = temporaryFolder();
    const keys = temporaryFolder();
    symlinkSync(keys, join(home, '.ssh'));
    expect(accessIn(temporaryFolder(), home)(keys)).toBe('hidden');
  });

  test('has what the sandbox names, whatever is said of it otherwise', () => {
    const home = temporaryFolder();
    writeFiles(home, { '.aws/config': '', 'work/.env': 'key' });
    const other = temporaryFolder();
    const sandbox: Sandbox = {
      kind: 'bwrap',
      read: [join(home, '.aws')],
      write: [other],
      hide: ['.env', 'none'],
    };
    const access = accessIn(join(home, 'work'), home, sandbox);
    expect(access(join(home, '.aws'))).toBe('read');
    expect(access(other)).toBe('write');
    expect(access(join(home, 'work/.env'))).toBe('hidden');
  });

  test('is refused where there is nothing at a path that the sandbox has it write', () => {
    const place = {
      workspace: temporaryFolder(),
      state: '/nowhere',
      own: [],
      copies: '/nowhere',
      tool: null,
      env: {},
    };
    expect(containmentOf({ ...BWRAP, write: ['there'] }, place)).toMatchObject({
      reason: 'sandbox-unavailable',
      detail: expect.stringContaining('/there, which `write` of its sandbox names'),
    });
  });
});

test('the command line mounts folders before what is in them, and passes arguments on as they are', () => {
  const mounts: SandboxMount[] = [
    { path: '/', access: 'read', isFolder: true },
    { path: '/p', access: 'write', isFolder: true },
    { path: '/p/state', access: 'hidden', isFolder: true },
    { path: '/p/.env', access: 'hidden', isFolder: false },
  ];
  const line = containedCommand(['x', '--', '$HOME'], '/p', {
    mounts,
    sharesNetwork: false,
    gateway: ['gate'],
  });
  const text = line.join(' ');
  expect(text).toContain(
    '--ro-bind / / --bind /p /p --tmpfs /p/state --ro-bind /dev/null /p/.env --remount-ro /p/state',
  );
  expect(text).toContain('--unshare-net');
  expect(line.slice(-4)).toEqual(['gate', 'x', '--', '$HOME']);
});

test('what bwrap says of itself is no failure of the command', () => {
  expect(containmentFailure(1, "bwrap: Can't mkdir /x: Read-only file system\n")).toMatchObject({
    reason: 'sandbox-unavailable',
  });
  expect(containmentFailure(1, 'bwrap: the word\nand more\n')).toBeNull();
});

test('a host is listed by its name, a part of it, and its port', () => {
  const hosts = ['example.org', '*.example.net', 'localhost:8080'];
  const listed = [
    ['example.org', 443],
    ['EXAMPLE.org.', 80],
    ['a.b.example.net', 443],
    ['localhost', 8080],
  ] as const;
  const unlisted = [
    ['example.org', 22],
    ['example.net', 443],
    ['notexample.net', 443],
    ['evil-example.org', 443],
    ['localhost', 80],
  ] as const;
  expect(listed.map(([host, port]) => isListed(hosts, host, port))).toEqual(Array(4).fill(true));
  expect(unlisted.map(([host, port]) => isListed(hosts, host, port))).toEqual(Array(5).fill(false));
});

test('the proxy refuses a tunnel to what is not listed, and says which', async () => {
  const refused: string[] = [];
  const proxy = await startProxy(
    ['example.org'],
    () => makeTemporaryFolder('proxy'),
    (target) => refused.push(target),
  );
  onTestFinished(() => proxy.close());
  const status = await statusOf(proxy.socket, '127.0.0.1:22');
  expect(status).toBe(403);
  expect(refused).toEqual(['127.0.0.1:22']);
});

test('the proxy tunnels to what is listed', async () => {
  const server = createServer((socket) => socket.end('hello'));
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const proxy = await startProxy(
    [`127.0.0.1:${port}`],
    () => makeTemporaryFolder('proxy'),
    () => undefined,
  );
  onTestFinished(() => proxy.close());
  expect(await statusOf(proxy.socket, `127.0.0.1:${port}`)).toBe(200);
});

const statusOf = (socketPath: string, path: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const asked = request({ socketPath, method: 'CONNECT', path });
    asked.on('connect', (answer, socket) => {
      socket.destroy();
      resolve(answer.statusCode);
    });
    asked.on('error', reject);
    asked.end();
  });
