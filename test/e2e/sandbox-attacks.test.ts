/** What contained work tries to read that is hidden, and to leave that runs outside later. All of it in one run. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { millrace, writeFiles } from '../kit/command.ts';
import { git, makeRepository } from '../kit/repository.ts';
import { query } from '../kit/rows.ts';
import { sandboxed } from '../kit/sandbox.ts';

const MARK = `attack-${process.pid}`;

/** What each workstream runs. Where something fails it goes on, and says what it has got. */
const ATTACKS: Record<string, { run: string; fields?: object }> = {
  'rc-files': { run: 'for f in .bashrc .profile .zshenv; do echo "touch ran" >> ~/$f; done' },
  'git-config': {
    run: 'git config --global core.hooksPath /tmp/hooks; git config --global alias.st "!touch ran"',
  },
  'user-units': { run: 'mkdir -p ~/.config/systemd/user ~/.config/autostart && touch ~/.config/autostart/x' },
  'path-folders': { run: `echo "$PATH" | tr : '\\n' | while read -r d; do touch "$d/${MARK}"; done` },
  cron: { run: `for d in /etc/cron.d /var/spool/cron /var/spool/cron/crontabs; do touch $d/${MARK}; done` },
  worktree: {
    run: 'common=$(git rev-parse --git-common-dir); echo "touch ran" > "$common/hooks/post-checkout"; git config core.fsmonitor "touch ran"; echo "gitdir: /tmp/evil" > .git; git update-ref refs/heads/main HEAD~0; git branch planted',
    fields: { workspace: 'worktree' },
  },
  database: { run: 'ls -A .state; echo x >> .state/multi_agent_consolidated.db' },
  'control-socket': { run: 'find /tmp /var/tmp /run -type s; echo looked' },
  'other-processes': {
    run: 'for p in /proc/[0-9]*; do cat $p/root$HOME/.ssh/id $p/environ | tr "\\0" "\\n" | grep -a -e KEY -e OUTSIDE_ONLY; done',
  },
  remount: {
    run: `mount -o remount,rw "$HOME"; umount ~/.ssh; unshare -Urm sh -c 'mount -o remount,bind,rw "$HOME"; umount -l "$HOME/.ssh"; cat ~/.ssh/id; touch ~/remounted'; cat ~/.ssh/id`,
  },
  terminal: { run: 'sh -c "exec 3<>/dev/tty" && echo HAS TERMINAL' },
  'unix-socket': { run: connectTo('$SOCKET_OUTSIDE') },
  'abstract-socket': { run: connectTo(`\\0${MARK}`), fields: { network: 'none' } },
  'session-bus': {
    run: 'echo "bus=$DBUS_SESSION_BUS_ADDRESS agent=$SSH_AUTH_SOCK display=$DISPLAY"; ls /run',
  },
};

function connectTo(path: string): string {
  return `node -e 'require("net").connect("${path}".replace("$SOCKET_OUTSIDE", process.env.SOCKET_OUTSIDE)).on("connect", () => { console.log("CONNECTED"); process.exit() }).on("error", (e) => console.log(e.code))'`;
}

/** What a tool tries in its own state, where it has to write its sessions. */
const TOOL = `#!/bin/sh
cat > /dev/null
mkdir -p ~/.claude/projects && echo session > ~/.claude/projects/s.jsonl
echo '{"hooks": "evil"}' > ~/.claude/settings.json
echo '{"hooks": "evil"}' > ~/.claude/settings.local.json
rm -rf ~/.claude/hooks; mkdir ~/.claude/hooks; echo evil > ~/.claude/hooks/pre.sh
mv ~/.claude ~/.claude-old
echo evil > ~/.claude/plugins/evil.js
echo '{"mcpServers": {"evil": {"command": "evil"}}}' > ~/.claude.json
echo evil > made.txt
`;

const tried = { folder: '', home: '', run: '', config: '', head: '' };

beforeAll(async () => {
  const all = realpathSync(mkdtempSync(join(tmpdir(), 'millrace-')));
  afterAll(() => rmSync(all, { recursive: true, force: true }));
  const home = join(all, 'home');
  const daemon = join(all, 'daemon.sock');
  const config = JSON.stringify({
    tools: { evil: { adapter: 'claude', command: ['sh', 'tool.sh'], sandbox: 'bwrap' } },
  });
  const folder = makeRepository({ 'millrace.config.json': config, 'tool.sh': TOOL }, join(all, 'repo'));
  writeFiles(home, {
    '.ssh/id': 'PRIVATE KEY',
    '.bashrc': 'mine\n',
    '.claude.json': '{"mine": true}',
    '.claude/settings.json': '{"mine": true}',
  });
  const attacks = Object.entries(ATTACKS).map(([name, { run, fields = {} }]) => ({
    id: `ws-${name}`,
    sandbox: 'bwrap',
    steps: [{ run: `{ ${run}; } 2>&1; true` }],
    ...fields,
  }));
  writeFiles(folder, {
    'workstreams/all.json': [...attacks, { id: 'ws-tool', tool: 'evil', tasks: ['Do evil'] }],
  });
  const sockets = [daemon, `\0${MARK}`].map((path) => createServer((socket) => socket.end()).listen(path));
  afterAll(() => sockets.forEach((socket) => void socket.close()));
  Object.assign(tried, {
    folder,
    home,
    config: readFileSync(join(folder, '.git/config'), 'utf8'),
    head: git(folder, 'rev-parse', 'main'),
  });
  await millrace(folder, ['run', '-j', '4', '--merge', 'none', '--log-level', 'warn'], {
    HOME: home,
    SOCKET_OUTSIDE: daemon,
    DBUS_SESSION_BUS_ADDRESS: 'unix:path=/run/bus',
    SSH_AUTH_SOCK: join(home, 'agent'),
    DISPLAY: ':0',
  });
  tried.run = query<{ id: string }>(folder, 'SELECT run_id AS id FROM consolidated_runs')[0]?.id ?? '';
}, 120_000);

const log = (name: string): string => {
  const file = join(tried.folder, '.state/logs', tried.run, `ws-${name}.log`);
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
};

describe('contained work', () => {
  sandboxed('leaves nothing in what a shell reads when it starts', () => {
    expect(log('rc-files')).toContain('Read-only file system');
    expect(readFileSync(join(tried.home, '.bashrc'), 'utf8')).toBe('mine\n');
    expect(existsSync(join(tried.home, '.profile'))).toBe(false);
  });

  sandboxed("changes nothing of git's settings of the user", () => {
    expect(existsSync(join(tried.home, '.gitconfig'))).toBe(false);
  });

  sandboxed('leaves no unit that a later session starts', () => {
    expect(existsSync(join(tried.home, '.config'))).toBe(false);
  });

  sandboxed('leaves no program in a folder of PATH', () => {
    const folders = (process.env['PATH'] ?? '').split(':');
    expect(log('path-folders')).toContain('Read-only file system');
    expect(folders.filter((folder) => existsSync(join(folder, MARK)))).toEqual([]);
  });

  sandboxed('leaves nothing that cron runs', () => {
    const folders = ['/etc/cron.d', '/var/spool/cron', '/var/spool/cron/crontabs'];
    expect(folders.filter((folder) => existsSync(join(folder, MARK)))).toEqual([]);
  });

  sandboxed('plants nothing in the repository that its worktree belongs to', () => {
    expect(log('worktree')).toContain('Read-only file system');
    expect(readFileSync(join(tried.folder, '.git/config'), 'utf8')).toBe(tried.config);
    expect(existsSync(join(tried.folder, '.git/hooks/post-checkout'))).toBe(false);
    expect(git(tried.folder, 'rev-parse', 'main')).toBe(tried.head);
    expect(git(tried.folder, 'branch', '--list', 'planted')).toBe('');
  });

  sandboxed('neither reads nor writes the database', () => {
    expect(log('database')).not.toContain('.db\n');
    expect(log('database')).toMatch(/Read-only file system|Directory nonexistent|No such file/);
  });

  sandboxed('does not see the socket at which the run takes requests', () => {
    expect(log('control-socket')).toBe('looked\n');
  });

  sandboxed('reaches no file by the processes of others', () => {
    expect(log('other-processes')).not.toContain('PRIVATE KEY');
  });

  sandboxed('mounts nothing anew, in a namespace of its own either', () => {
    expect(log('remount')).not.toContain('PRIVATE KEY');
    expect(readdirSync(tried.home)).not.toContain('remounted');
  });

  sandboxed('has no terminal that it could type into', () => {
    expect(log('terminal')).not.toContain('HAS TERMINAL');
  });

  sandboxed('reaches no socket of a daemon in a folder for temporary files', () => {
    expect(log('unix-socket')).toContain('ENOENT');
  });

  sandboxed('reaches no abstract socket without a network', () => {
    expect(log('abstract-socket')).toContain('ECONNREFUSED');
  });

  sandboxed('knows neither the session bus, nor the agent for keys, nor the display', () => {
    expect(log('session-bus')).toBe('bus= agent= display=\n');
  });

  sandboxed('by a tool keeps the sessions of that, and changes neither its settings nor its servers', () => {
    const state = join(tried.home, '.claude');
    expect(readFileSync(join(state, 'projects/s.jsonl'), 'utf8')).toBe('session\n');
    expect(readFileSync(join(state, 'settings.json'), 'utf8')).toBe('{"mine": true}');
    expect(readFileSync(join(state, 'settings.local.json'), 'utf8')).toBe('{}\n');
    expect(readdirSync(join(state, 'hooks'))).toEqual([]);
    expect(readdirSync(join(state, 'plugins'))).toEqual([]);
    expect(readFileSync(join(tried.home, '.claude.json'), 'utf8')).toBe('{"mine": true}');
  });
});
