/** Contained steps: what they can't read, write, signal and reach, tried by programs that do not mean well. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { livingProcesses, variableOf } from '../../src/os/process-table.ts';
import { millrace, startMillrace, writeFiles } from '../kit/command.ts';
import { commitAll, git, makeRepository } from '../kit/repository.ts';
import { query } from '../kit/rows.ts';
import { sandboxed } from '../kit/sandbox.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

interface Row {
  id: string;
  status: string;
  reason: string | null;
  explanation: string | null;
}

const rowsOf = (folder: string): Row[] =>
  query<Row>(
    folder,
    'SELECT workstream_id AS id, status, reason, explanation FROM agent_results ORDER BY workstream_id',
  );

/** Runs one step of a workstream that is contained, with `HOME` in a folder of its own. */
async function runContained(
  run: string,
  fields: object = {},
  { folder = makeRepository(), env = {} }: { folder?: string; env?: NodeJS.ProcessEnv } = {},
) {
  const home = temporaryFolder();
  writeFiles(home, {
    '.ssh/id_ed25519': 'PRIVATE KEY',
    '.config/gh/hosts.yml': 'TOKEN',
    'notes.txt': 'notes',
  });
  writeFiles(folder, { 'workstreams/a.json': { id: 'ws-a', sandbox: 'bwrap', steps: [{ run }], ...fields } });
  const { code } = await millrace(folder, ['run', '--log-level', 'warn'], { HOME: home, ...env });
  const [row] = rowsOf(folder);
  const [stored] = query<{ id: string }>(folder, 'SELECT run_id AS id FROM consolidated_runs');
  const file = join(folder, '.state/logs', stored?.id ?? '', 'ws-a.log');
  return { code, row, folder, home, log: existsSync(file) ? readFileSync(file, 'utf8') : '' };
}

describe('a contained command', () => {
  sandboxed('reads its home but for what is secret in it', async () => {
    const { log, code } = await runContained('cat ~/notes.txt; cat ~/.ssh/* ~/.config/gh/*; true');
    expect(code).toBe(0);
    expect(log).toContain('notes');
    expect(log).not.toMatch(/PRIVATE KEY|TOKEN/);
  });

  sandboxed('does not read the database, nor logs of others', async () => {
    const { log } = await runContained('ls -A .state; cat .state/*.db | head -c 16');
    expect(log).not.toContain('SQLite');
  });

  sandboxed('writes its workspace and nothing else, also behind a link', async () => {
    const outside = join(homedir(), `millrace-outside-${process.pid}`);
    const { folder, home, log } = await runContained(
      `echo 1 > mine.txt; echo 1 > ~/theirs.txt; ln -s ${homedir()} link; echo 1 > link/millrace-outside-${process.pid}; true`,
    );
    expect(existsSync(join(folder, 'mine.txt'))).toBe(true);
    expect(existsSync(join(home, 'theirs.txt'))).toBe(false);
    expect(existsSync(outside)).toBe(false);
    expect(log.match(/Read-only file system/g)).toHaveLength(2);
  });

  sandboxed('sees no process of the machine, and signals none', async () => {
    const { code } = await runContained(
      `! kill -0 ${process.pid} && [ "$(ls -d /proc/[0-9]* | wc -l)" -lt 9 ]`,
    );
    expect(code).toBe(0);
  });

  sandboxed('has no part in the temporary folder of others', async () => {
    const other = temporaryFolder();
    const { code } = await runContained(`[ ! -e ${other} ] && echo 1 > /tmp/own && cat /tmp/own`);
    expect(code).toBe(0);
    expect(existsSync('/tmp/own')).toBe(false);
  });

  sandboxed('plants nothing in the repository that would run outside', async () => {
    const folder = makeRepository();
    const config = readFileSync(join(folder, '.git/config'), 'utf8');
    await runContained(
      'echo "touch ran" > .git/hooks/post-checkout; git config core.fsmonitor "touch ran"; mv .git old; rm -rf .git; true',
      {},
      { folder },
    );
    expect(readFileSync(join(folder, '.git/config'), 'utf8')).toBe(config);
    expect(existsSync(join(folder, '.git/hooks/post-checkout'))).toBe(false);
  });

  sandboxed(
    'plants nothing in a repository of its own that runs when Millrace looks at what it did',
    async () => {
      const folder = makeRepository();
      const mark = join(folder, 'ran');
      await runContained(
        `git init -q own && cd own && git config core.fsmonitor "touch ${mark} #" && git config user.email a@b && git config user.name a && touch f && git add f && git commit -qm 1 && echo 2 > f`,
        { workspace: 'worktree' },
        { folder },
      );
      expect(existsSync(mark)).toBe(false);
    },
  );

  sandboxed(
    'reads with git in a worktree and commits nothing; Millrace commits what it changed',
    async () => {
      const { folder, log, row } = await runContained(
        'git status && git log --oneline && echo new > new.txt && ! git add new.txt',
        { workspace: 'worktree' },
      );
      expect(row?.status).toBe('completed');
      expect(log).toContain('Read-only file system');
      const [found] = query<{ branch: string }>(
        folder,
        "SELECT json_extract(metadata, '$.changes.branch') AS branch FROM agent_results",
      );
      expect(git(folder, 'show', `${found?.branch}:new.txt`)).toBe('new\n');
    },
  );

  sandboxed('is asked to end before it is made to', async () => {
    const folder = makeRepository();
    const isBegun = until(() => existsSync(join(folder, 'began')));
    const isStopped = isBegun.then(() => millrace(folder, ['stop', 'ws-a']));
    const { log, row } = await runContained(
      "trap 'echo asked; exit' TERM; touch began; sleep 600 & wait",
      {},
      { folder },
    );
    expect((await isStopped).code).toBe(0);
    expect(row?.reason).toBe('cancelled');
    expect(log).toContain('asked');
  });

  sandboxed('leaves nothing running, also what left its group', async () => {
    const mark = `left-${process.pid}`;
    const { code } = await runContained(`MARK_OF_TEST=${mark} setsid sleep 600 & exit 0`);
    expect(code).toBe(0);
    expect([...livingProcesses()].filter(({ pid }) => variableOf(pid, 'MARK_OF_TEST') === mark)).toEqual([]);
  });

  sandboxed('has the time of its processors measured', async () => {
    // It is read ten times a second: a second of a processor, however fast that is.
    const second = 'for (let u = { user: 0, system: 0 }; u.user + u.system < 1e6; u = process.cpuUsage());';
    const { folder, row } = await runContained(`node -e '${second}'`, { cpus: 1 });
    expect(row?.status).toBe('completed');
    const [usage] = query<{ cpu: number }>(
      folder,
      "SELECT json_extract(usage, '$.cpuSeconds') AS cpu FROM agent_results",
    );
    expect(usage?.cpu).toBeGreaterThan(0.02);
  });

  sandboxed('is started by the command host of Node as by the native one', async () => {
    const { log } = await runContained(
      '! touch ~/theirs && echo $$',
      {},
      { env: { MILLRACE_COMMAND_HOST: 'node' } },
    );
    expect(log).toContain('Read-only file system');
  });

  sandboxed('that is not there is named as one outside is', async () => {
    const { row } = await runContained('', { steps: [{ command: ['frobnicate', '1'] }] });
    expect(row).toMatchObject({
      reason: 'command-not-found',
      explanation: 'There is no command "frobnicate" on PATH.',
    });
  });

  sandboxed('may write and read what its sandbox names', async () => {
    const other = temporaryFolder();
    writeFileSync(join(other, 'in.txt'), 'in\n');
    const { code } = await runContained(
      `cat ${other}/in.txt > ${other}/out.txt && ! cat secret.txt`,
      {
        sandbox: { kind: 'bwrap', write: [other], hide: ['secret.txt'] },
      },
      { folder: makeRepository({ 'secret.txt': 'x' }) },
    );
    expect(code).toBe(0);
    expect(readFileSync(join(other, 'out.txt'), 'utf8')).toBe('in\n');
  });
});

describe('the network of a contained command', () => {
  async function server(): Promise<string> {
    const http = createServer((_asked, answer) => answer.end('reached\n'));
    onTestFinished(() => void http.close());
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    const address = http.address();
    return `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  }
  /** Ignores proxies, as a program may. */
  const straight = (host: string): string =>
    `node -e 'require("http").get("http://${host}", r => r.pipe(process.stdout)).on("error", e => { console.log(e.code); process.exit(7) })'`;
  /** Uses the proxy of its environment. */
  const byProxy = (host: string): string =>
    `node -e 'const p = new URL(process.env.HTTP_PROXY); require("http").get({ host: p.hostname, port: p.port, path: "http://${host}/" }, r => { console.log(r.statusCode); r.pipe(process.stdout) })'`;

  sandboxed('is all of it unless it says otherwise', async () => {
    const { log } = await runContained(straight(await server()));
    expect(log).toBe('reached\n');
  });

  sandboxed('is none where it says so', async () => {
    const { log, row } = await runContained(straight(await server()), { network: 'none' });
    expect(log).toMatch(/ECONNREFUSED|ENETUNREACH/);
    expect(row?.reason).toBe('exit-non-zero');
  });

  sandboxed('is what it lists, by the proxy', async () => {
    const host = await server();
    const { log } = await runContained(byProxy(host), { network: [host] });
    expect(log).toBe('200\nreached\n');
  });

  sandboxed('is nothing for a program that passes the proxy by', async () => {
    const host = await server();
    const { log, row } = await runContained(straight(host), { network: [host] });
    expect(log).toContain('ECONNREFUSED');
    expect(row?.reason).toBe('exit-non-zero');
  });

  sandboxed('is not what it does not list, and a warning names that', async () => {
    const host = await server();
    const { log, folder } = await runContained(byProxy(host), { network: ['example.org'] });
    expect(log).toContain('403');
    const [row] = query<{ warnings: string }>(folder, 'SELECT warnings FROM agent_results');
    expect(row?.warnings).toContain(`It tried to reach ${host}, which its \`network\` does not list.`);
  });
});

describe('a workstream that is to be contained', () => {
  test('fails before it starts where there is no bwrap, and says what to do', async () => {
    const { row, folder } = await runContained(
      'touch ran',
      {},
      { env: { PATH: pathWithout(), NODE: process.execPath } },
    );
    expect(row).toMatchObject({ status: 'failed', reason: 'sandbox-unavailable' });
    expect(row?.explanation).toContain('there is no bwrap on PATH. Install it (package bubblewrap)');
    expect(existsSync(join(folder, 'ran'))).toBe(false);
  });

  test('is known to be refused before the run, by plan and validate, where there is no bwrap', async () => {
    const folder = makeRepository();
    writeFiles(folder, {
      'workstreams/a.json': {
        id: 'ws-a',
        sandbox: 'bwrap',
        network: ['example.org'],
        steps: [{ run: 'true' }],
      },
      'workstreams/b.json': { id: 'ws-b', network: 'none', steps: [{ run: 'true' }] },
    });
    const without = { PATH: pathWithout() };
    const plan = await millrace(folder, ['plan', '--format', 'json'], without);
    const validate = await millrace(folder, ['validate', '--json'], without);
    const containing = {
      kind: 'bwrap',
      workstreams: ['ws-a'],
      limitedNetworks: 1,
      obstacle: expect.stringContaining('there is no bwrap on PATH'),
    };
    expect([plan.code, JSON.parse(plan.stdout)]).toMatchObject([1, { containing }]);
    const checked = JSON.parse(validate.stdout);
    expect([validate.code, checked]).toMatchObject([1, { containing }]);
    expect(checked.problems).toMatchObject([
      { severity: 'error', workstreamId: 'ws-b', message: expect.stringContaining('needs a `sandbox`') },
      {
        severity: 'warning',
        workstreamId: 'ws-a',
        message: expect.stringContaining('a run on this machine refuses 1 workstream with a sandbox, ws-a'),
      },
    ]);
  });

  sandboxed('is known to be contained before the run where bwrap is there', async () => {
    const folder = makeRepository();
    writeFiles(folder, {
      'workstreams/a.json': { id: 'ws-a', sandbox: 'bwrap', steps: [{ run: 'true' }] },
    });
    const plan = await millrace(folder, ['plan']);
    expect([plan.code, plan.stdout]).toEqual([0, expect.stringContaining('This machine can contain them.')]);
    expect((await millrace(folder, ['validate'])).code).toBe(0);
  });

  test('is not started with a limit of its network and no sandbox', async () => {
    const { row, folder } = await runContained('touch ran', { sandbox: 'none', network: 'none' });
    expect(row?.reason).toBe('sandbox-unavailable');
    expect(existsSync(join(folder, 'ran'))).toBe(false);
  });

  sandboxed('has its acceptance tests contained too', async () => {
    const { row } = await runContained('touch mine', {
      acceptance_tests: [{ run: 'ls mine && ! touch ~/theirs' }],
    });
    expect(row?.status).toBe('completed');
  });

  sandboxed('by the configuration of its tool has the tool and its tests contained', async () => {
    const folder = makeRepository({
      'agent.sh': '#!/bin/sh\ncat > /dev/null\necho 1 > made.txt\ntouch ~/theirs || echo contained\n',
      'millrace.config.json': JSON.stringify({
        tools: { own: { command: ['sh', 'agent.sh'], sandbox: 'bwrap', network: 'none' } },
      }),
    });
    const { row, home, log } = await runContained(
      '',
      {
        sandbox: undefined,
        steps: undefined,
        tool: 'own',
        tasks: ['Make it'],
        acceptance_tests: [{ run: 'cat made.txt && ! touch ~/theirs' }],
      },
      { folder },
    );
    expect(row?.status).toBe('completed');
    expect(log).toContain('contained');
    expect(existsSync(join(home, 'theirs'))).toBe(false);
  });

  sandboxed('leaves nothing behind when the run is killed', async () => {
    const folder = makeRepository();
    commitAll(folder);
    const mark = `killed-${process.pid}`;
    writeFiles(folder, {
      'workstreams/a.json': {
        id: 'ws-a',
        sandbox: 'bwrap',
        steps: [
          { run: `echo 1 > began; MARK_OF_TEST=${mark} setsid sleep 600 & MARK_OF_TEST=${mark} sleep 600` },
        ],
      },
    });
    const run = startMillrace(folder, ['run']);
    const marked = () => [...livingProcesses()].filter(({ pid }) => variableOf(pid, 'MARK_OF_TEST') === mark);
    await until(() => marked().length >= 2);
    run.killAll();
    await run.finished;
    await until(() => marked().length === 0);
    expect(marked()).toEqual([]);
  });
});

/** Polls for what other processes do, without a limit of its own: the test has one. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** A PATH with the programs that a run needs but bwrap. */
function pathWithout(): string {
  const folder = temporaryFolder();
  for (const name of ['git', 'sh', 'env', 'touch', 'node']) {
    const file = (process.env['PATH'] ?? '')
      .split(':')
      .map((part) => join(part, name))
      .find((path) => existsSync(path));
    if (file !== undefined)
      writeFileSync(join(folder, name), `#!/bin/sh\nexec ${file} "$@"\n`, { mode: 0o755 });
  }
  return folder;
}
