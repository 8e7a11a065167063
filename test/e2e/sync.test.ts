/** `millrace sync`: a branch of the workstream files on a real remote, and their issues on a stand-in of GitHub. */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { millrace, startMillrace, writeFiles } from '../kit/command.ts';
import { type GitHubServer, NO_RIGHT, secondaryLimit, startGitHub } from '../kit/github-server.ts';
import { digest, git, makeRepository } from '../kit/repository.ts';
import { query } from '../kit/rows.ts';

/** A repository with these files and an empty remote beside it. */
function withRemote(files: Record<string, string>): { repo: string; remote: string } {
  const repo = makeRepository(files);
  const remote = join(dirname(repo), 'remote.git');
  git(dirname(repo), 'init', '-q', '--bare', remote);
  git(repo, 'remote', 'add', 'origin', remote);
  git(repo, 'push', '-q', 'origin', 'main');
  return { repo, remote };
}

/** So many files, the last ones of them broken, as people have them: with comments, tasks and tests. */
function backlog(count: number, broken = 0): Record<string, string> {
  const files: Record<string, string> = {};
  for (let number = 1; number <= count; number += 1) {
    const name = `workstreams/ws-${String(number).padStart(2, '0')}.json`;
    const id = `ws-${String(number).padStart(2, '0')}`;
    const depends = number === 1 ? '' : `"depends_on": ["ws-01"],`;
    files[name] =
      number > count - broken
        ? `{ "id": "${id}", "steps": [ }\n`
        : `{
  // what it is for
  "id": "${id}",
  "title": "Part ${number}",
  ${depends}
  "files_scope": ["src/part-${number}/**"],
  "steps": [{ "run": "true" }],
  "acceptance_tests": [{ "run": "true" }, { "manual": "it reads well" }],
}
`;
  }
  return files;
}

const branches = (remote: string): string[] =>
  git(remote, 'for-each-ref', '--format=%(refname:lstrip=2)', 'refs/heads/feature')
    .split('\n')
    .filter((line) => line !== '');

/** What must stay: all files but those of git, its index, HEAD and what is checked out. */
const checkout = (repo: string): unknown => [
  digest(repo, (path) => /^(\.git|\.state|reports)$/.test(path)),
  readFileSync(join(repo, '.git/index')).toString('hex'),
  readFileSync(join(repo, '.git/HEAD'), 'utf8'),
  git(repo, 'rev-parse', 'HEAD'),
];

describe('a folder of 54 workstream files of which 12 are broken', () => {
  test('becomes 54 commits on a branch of the remote, and the checkout stays as it was', async () => {
    const { repo, remote } = withRemote(backlog(54, 12));
    writeFiles(repo, {
      'staged.txt': 'staged',
      'workstreams/ws-55.json': backlog(1)['workstreams/ws-01.json'] ?? '',
    });
    git(repo, 'add', 'staged.txt');
    git(repo, 'rm', '-q', '--cached', 'workstreams/ws-02.json');
    writeFileSync(join(repo, 'workstreams/ws-55.json'), '{"id": "ws-55", "steps": [{"run": "true"}]}');
    const before = checkout(repo);
    const synced = await millrace(repo, ['sync']);
    expect(synced).toMatchObject({ code: 1, stderr: '' });
    expect(checkout(repo)).toEqual(before);
    const [branch = ''] = branches(remote);
    expect(branch).toMatch(/^feature\/ws-sync-\d{8}-\d{6}$/);
    const subjects = git(remote, 'log', '--format=%s', `main..${branch}`).trim().split('\n');
    expect(subjects).toHaveLength(55);
    expect(subjects[0]).toBe('sync: ws-55');
    const named = synced.stdout.split('\n').filter((line) => line.startsWith('  workstreams/'));
    expect(named).toHaveLength(12);
    const [report = ''] = readdirSync(join(repo, 'reports'));
    expect(readFileSync(join(repo, 'reports', report), 'utf8')).toContain(
      '## Files with problems (12 of 55)',
    );
  });

  test('is not pushed a second time where nothing changed', async () => {
    const { repo, remote } = withRemote(backlog(5, 1));
    await millrace(repo, ['sync']);
    const again = await millrace(repo, ['sync']);
    expect(again.stdout).toMatch(/^Nothing changed: feature\/ws-sync-/);
    expect(branches(remote)).toHaveLength(1);
    expect(readdirSync(join(repo, 'reports'))).toHaveLength(1);
  });
});

describe('the branch of a sync', () => {
  test('has the fields of each workstream as trailers, in which nobody is called and nothing is closed', async () => {
    const { repo, remote } = withRemote({
      'workstreams/a.json': JSON.stringify({
        id: 'ws-a',
        title: 'Ask @someone, fixes #12',
        kind: 'docs',
        files_scope: ['docs/**'],
        tool: 'aider',
        tasks: ['x'],
        gate: 2,
        doc_id: 'DOC-1',
      }),
    });
    expect((await millrace(repo, ['sync'])).code).toBe(0);
    const [branch = ''] = branches(remote);
    const trailers = git(remote, 'log', '-1', '--format=%(trailers)', branch).trim().split('\n');
    expect(trailers).toEqual([
      'Millrace-File: workstreams/a.json',
      'Millrace-Workstream: ws-a',
      'Millrace-Title: Ask @\u200bsomeone, fixes #\u200b12',
      'Millrace-Kind: docs',
      'Millrace-Tool: aider',
      'Millrace-Files-Scope: docs/**',
      'Millrace-Gate: 2',
      'Millrace-Doc-Id: DOC-1',
      expect.stringMatching(/^Millrace-Sync: [0-9a-f]{64}$/),
    ]);
  });

  test('is made anew when a file changed, and found again when it was merged and removed', async () => {
    const { repo, remote } = withRemote(backlog(2));
    await millrace(repo, ['sync']);
    writeFileSync(join(repo, 'workstreams/ws-02.json'), '{"id": "ws-02", "steps": [{"run": "false"}]}');
    await millrace(repo, ['sync']);
    const [first = '', second = ''] = branches(remote);
    expect(git(remote, 'show', `${second}:workstreams/ws-02.json`)).toContain('false');
    git(repo, 'checkout', '-q', '--', '.');
    git(repo, 'merge', '-q', second);
    git(repo, 'branch', '-q', '-D', first, second);
    git(repo, 'push', '-q', 'origin', '--delete', first, second);
    expect((await millrace(repo, ['sync'])).stdout).toMatch(/^Nothing changed: what is checked out/);
    expect(branches(remote)).toEqual([]);
  });

  test('that could not be pushed is pushed by the next sync', async () => {
    const { repo, remote } = withRemote(backlog(2));
    git(repo, 'remote', 'set-url', 'origin', `${remote}-away`);
    const failed = await millrace(repo, ['sync']);
    expect([failed.code, failed.stdout]).toEqual([1, expect.stringContaining('not pushed')]);
    git(repo, 'remote', 'set-url', 'origin', remote);
    expect((await millrace(repo, ['sync'])).code).toBe(0);
    expect(branches(remote)).toHaveLength(1);
    expect(branches(repo)).toHaveLength(1);
  });

  test('has no file that git ignores or that holds a secret; the others are there', async () => {
    const { repo, remote } = withRemote({
      ...backlog(1),
      '.gitignore': '.state/\nworkstreams/ignored.json\n',
    });
    writeFiles(repo, {
      'workstreams/ignored.json': '{"id": "ws-i", "steps": [{"run": "true"}]}',
      'workstreams/leak.json': '{"id": "ws-l", "steps": [{"run": "curl -H hunter2-hunter2"}]}',
    });
    const synced = await millrace(repo, ['sync'], { DEPLOY_TOKEN: 'hunter2-hunter2' });
    expect(synced.code).toBe(1);
    expect(synced.stdout).toMatch(/ignored\.json: Not committed: git ignores it/);
    expect(synced.stdout).toMatch(/leak\.json: Not committed: it holds the value of a secret/);
    const [branch = ''] = branches(remote);
    expect(git(remote, 'ls-tree', '--name-only', branch, 'workstreams/').trim()).toBe(
      'workstreams/ws-01.json',
    );
  });

  test('has files of any name, in a folder below the repository, as git add would put them there', async () => {
    const { repo, remote } = withRemote({ 'a.txt': 'a\n' });
    git(repo, 'config', 'core.autocrlf', 'input');
    const names = ['with space', 'q"uote\\back', 'new\nline', 'ümlaut', 'esc\u001b[31m'];
    for (const [index, name] of names.entries())
      writeFiles(repo, {
        [`sub/workstreams/${name}.json`]: `{"id": "ws-${index}",\r\n "steps": [{"run": "true"}]}\r\n`,
      });
    mkdirSync(join(repo, 'sub/workstreams/folder.json'));
    const synced = await millrace(join(repo, 'sub'), ['sync']);
    expect(synced.code).toBe(0);
    const [branch = ''] = branches(remote);
    const found = git(remote, 'ls-tree', '-r', '-z', '--name-only', branch, 'sub/').split('\0');
    expect(found.filter((path) => path !== '').toSorted()).toEqual(
      names.map((name) => `sub/workstreams/${name}.json`).toSorted(),
    );
    expect(git(remote, 'show', `${branch}:sub/workstreams/new\nline.json`)).not.toContain('\r');
  });

  test('is only told of by a dry run', async () => {
    const { repo, remote } = withRemote(backlog(3));
    const before = digest(repo);
    expect((await millrace(repo, ['sync', '--dry-run'])).stdout).toMatch(/^Would make a branch such as/);
    expect([branches(remote), branches(repo), digest(repo)]).toEqual([[], [], before]);
  });
});

/** A repository with a remote, and a GitHub that has issues for it. */
async function withGitHub(files: Record<string, string>): Promise<{ repo: string; github: GitHubServer }> {
  const { repo, remote } = withRemote(files);
  const github = await startGitHub();
  github.repository = remote;
  return { repo, github };
}

const sync = (repo: string, { env }: GitHubServer, ...args: string[]) =>
  millrace(repo, ['sync', '--issues', ...args], env);

const labels = (github: GitHubServer, number: number): string[] =>
  (github.issues.get(number)?.labels ?? []).map(({ name }) => name);

describe('issues of workstreams', () => {
  test('are made once, with two requests each at most, and not written again where nothing changed', async () => {
    const { repo, github } = await withGitHub(backlog(54, 12));
    const first = await sync(repo, github);
    expect(first.stdout).toContain('Issues: 42 created, 0 updated, 0 unchanged, 0 failed.');
    expect(github.issues.size).toBe(42);
    expect(github.requests.length).toBeLessThanOrEqual(2 * 42);
    const writes = github.writes.length;
    const second = await sync(repo, github);
    expect(second.stdout).toContain('Issues: 0 created, 0 updated, 42 unchanged, 0 failed.');
    expect(second.stdout).toMatch(/^Nothing changed/);
    expect(github.writes).toHaveLength(writes);
  });

  test('say what is to be done, where, and when it is accepted', async () => {
    const { repo, github } = await withGitHub(backlog(2));
    await sync(repo, github);
    expect(github.issues.get(2)).toMatchObject({ title: 'ws-02: Part 2' });
    expect(labels(github, 2)).toEqual(['millrace', 'millrace:pending']);
    await expect(github.issues.get(2)?.body ?? '').toMatchFileSnapshot('../fixtures/issue.md');
  });

  test('change after a run, and keep what people wrote, ticked and labelled', async () => {
    const { repo, github } = await withGitHub(backlog(1));
    await sync(repo, github);
    const issue = github.issues.get(1);
    if (issue === undefined) throw new Error('there is no issue');
    issue.body = `My words.\n\n${issue.body?.replace('- [ ] `it reads well`', '- [x] `it reads well`')}\n\nMore of them.`;
    issue.labels.push({ name: 'mine' });
    issue.title = 'A title of my own';
    expect((await millrace(repo, ['run'])).code).toBe(0);
    expect((await sync(repo, github)).stdout).toContain('1 updated');
    expect(labels(github, 1)).toEqual(['mine', 'millrace', 'millrace:completed']);
    const { body, title } = issue;
    expect(title).toBe('A title of my own');
    expect(body).toMatch(/^My words\.\n\n<!-- millrace:ws-01 .*\n\nMore of them\.$/s);
    expect(body).toContain('- [x] `true`\n- [x] `it reads well`');
    expect(body).toMatch(/completed in `ma-run-/);
    expect((await sync(repo, github)).stdout).toContain('1 unchanged');
  });

  test('that a definition names are used, together where two name one, and never replaced', async () => {
    const { repo, github } = await withGitHub({
      'workstreams/a.json':
        '[{"id":"ws-a","ccpm_issue":7,"steps":[{"run":"true"}]},{"id":"ws-b","ccpm_issue":"#7","steps":[{"run":"false"}]}]',
      'workstreams/c.json': '{"id":"ws-c","ccpm_issue":8,"steps":[{"run":"true"}]}',
      'workstreams/d.json': '{"id":"ws-d","ccpm_issue":9,"steps":[{"run":"true"}]}',
    });
    github.addIssue({ number: 7, title: 'An epic', body: 'Of a person.', state: 'closed' });
    github.addIssue({ number: 8 });
    github.deleted.add(8);
    const synced = await sync(repo, github);
    expect(synced.code).toBe(1);
    expect(synced.stdout).toMatch(/ws-c: ccpm_issue names #8, which does not exist here/);
    expect(github.issues.get(7)).toMatchObject({ title: 'An epic', state: 'closed' });
    expect(github.issues.get(7)?.body).toMatch(
      /^Of a person\.\n\n<!-- millrace:ws-a -->.*<!-- millrace:ws-b -->/s,
    );
    expect(github.issues.size).toBe(2);
    await millrace(repo, ['run']);
    await sync(repo, github);
    expect(labels(github, 7)).toEqual(['millrace', 'millrace:failed']);
  });

  test('of a matrix is one, which says how each member went', async () => {
    const { repo, github } = await withGitHub({
      'workstreams/a.json': JSON.stringify({
        id: 'ws-m',
        title: 'Try ${{ matrix.n }}',
        matrix: { n: [0, 1, 2] },
        steps: [{ run: 'exit $(( $MATRIX_N == 1 ))' }],
      }),
      'workstreams/b.json': '{"id":"ws-n","depends_on":["ws-m"],"steps":[{"run":"true"}]}',
    });
    await millrace(repo, ['run']);
    await sync(repo, github);
    expect([...github.issues.values()].map(({ title }) => title)).toEqual([
      'ws-m: a matrix of 3 workstreams',
      'ws-n',
    ]);
    expect([labels(github, 1), labels(github, 2)]).toEqual([
      ['millrace', 'millrace:failed'],
      ['millrace', 'millrace:skipped'],
    ]);
    expect(github.issues.get(1)?.body?.match(/\| completed/g)).toHaveLength(2);
    expect(github.issues.get(2)?.body).toContain('- `ws-m` #1');
  });

  test('are found by their marks without the database, also where the label was removed', async () => {
    const { repo, github } = await withGitHub(backlog(2));
    await sync(repo, github, '--state', '.state/one');
    const issue = github.issues.get(1);
    if (issue !== undefined) issue.labels = [];
    const again = await sync(repo, github, '--state', '.state/two');
    expect(again.stdout).toContain('0 created, 1 updated, 1 unchanged');
    expect(github.issues.size).toBe(2);
  });

  test('of strangers are not taken for ours', async () => {
    const { repo, github } = await withGitHub(backlog(1));
    github.addIssue({
      body: '<!-- millrace:ws-01 -->\nmine\n<!-- /millrace:ws-01 -->',
      author_association: 'NONE',
    });
    await sync(repo, github);
    expect(github.issues.size).toBe(2);
    expect(github.issues.get(1)?.body).toContain('mine');
  });

  test('that were deleted are made again, and numbers are kept', async () => {
    const { repo, github } = await withGitHub(backlog(2));
    await sync(repo, github);
    github.deleted.add(1);
    await sync(repo, github);
    expect(github.issues.size).toBe(3);
    expect(query(repo, "SELECT subject, number FROM github_links WHERE kind = 'issue' ORDER BY 1")).toEqual([
      { subject: 'ws-01', number: 3 },
      { subject: 'ws-02', number: 2 },
    ]);
  });

  test('are in the files of the branch with comments kept, and in those of the user with --write only', async () => {
    const { repo, github } = await withGitHub(backlog(1));
    const path = join(repo, 'workstreams/ws-01.json');
    const before = readFileSync(path, 'utf8');
    await sync(repo, github);
    const [branch = ''] = branches(repo);
    const numbered = before.replace('"id": "ws-01",', '"id": "ws-01",\n  "ccpm_issue": 1,');
    expect(git(repo, 'show', `${branch}:workstreams/ws-01.json`)).toBe(numbered);
    expect(git(repo, 'log', '-1', '--format=%(trailers:key=Millrace-Issue)', branch).trim()).toBe(
      'Millrace-Issue: 1',
    );
    expect(readFileSync(path, 'utf8')).toBe(before);
    await sync(repo, github, '--write');
    expect(readFileSync(path, 'utf8')).toBe(numbered);
    expect(branches(repo)).toHaveLength(1);
  });

  test('of a text that would call people or close issues do neither, and nothing breaks out', async () => {
    const { repo, github } = await withGitHub({
      'workstreams/a.json': JSON.stringify({
        id: 'ws-a',
        title: '# big <script>',
        description: 'cc @team, fixes #3 <!-- /millrace:ws-a --> | `x` \u001b[31mred',
        tool: 'aider',
        tasks: ['closes GH-4 and https://github.com/acme/widgets/issues/5'],
        files_scope: ['`<!-- /millrace:ws-a -->`'],
      }),
    });
    await sync(repo, github);
    await expect(github.issues.get(1)?.body ?? '').toMatchFileSnapshot('../fixtures/hostile-issue.md');
    expect((await sync(repo, github)).stdout).toContain('1 unchanged');
  });
});

describe('where GitHub refuses', () => {
  test('one failure leaves the others done, and the branch is pushed', async () => {
    const { repo, github } = await withGitHub(backlog(4));
    github.intercept = ({ method, body }) =>
      method === 'POST' && String(body['title']).startsWith('ws-03')
        ? { status: 422, body: { message: 'Validation Failed', errors: [{ message: 'body is too odd' }] } }
        : null;
    const synced = await sync(repo, github);
    expect(synced.code).toBe(1);
    expect(synced.stdout).toMatch(/3 created, 0 updated, 0 unchanged, 1 failed/);
    expect(synced.stdout).toMatch(/ws-03: GitHub refused it \(422: Validation Failed: body is too odd\)/);
    expect(branches(repo)).toHaveLength(1);
    github.intercept = () => null;
    expect((await sync(repo, github)).stdout).toContain('1 created, 0 updated, 3 unchanged');
  });

  test('a wait that it asks for is made, and the request again', async () => {
    const { repo, github } = await withGitHub(backlog(2));
    let refused = 0;
    github.intercept = ({ method }) => (method === 'POST' && refused++ === 0 ? secondaryLimit(1) : null);
    const synced = await sync(repo, github);
    expect(synced).toMatchObject({ code: 0, stderr: 'millrace: GitHub asks to wait: going on in 1 s.\n' });
    expect(github.issues.size).toBe(2);
  });

  test('a token without the right is told which it lacks', async () => {
    const { repo, github } = await withGitHub(backlog(2));
    github.intercept = ({ method }) => (method === 'POST' ? NO_RIGHT : null);
    const synced = await sync(repo, github);
    expect([synced.code, synced.stdout]).toEqual([1, expect.stringContaining('It needs: issues=write.')]);
  });

  test('a token that may not label stops at the first issue, which is not doubled', async () => {
    const { repo, github } = await withGitHub(backlog(3));
    github.mayLabel = false;
    expect((await sync(repo, github)).stdout).toMatch(/3 failed/);
    github.mayLabel = true;
    await sync(repo, github);
    expect(github.issues.size).toBe(3);
  });

  test('a token that is not valid fails all issues with one request', async () => {
    const { repo, github } = await withGitHub(backlog(3));
    const synced = await millrace(repo, ['sync', '--issues'], {
      ...github.env,
      GITHUB_TOKEN: 'other-token-1',
    });
    expect([synced.code, synced.stdout]).toEqual([
      1,
      expect.stringContaining('does not accept the token (Bad credentials)'),
    ]);
    expect(github.requests).toHaveLength(1);
    expect(branches(repo)).toHaveLength(1);
  });

  test('an issue that was created without an answer is found, and not created again', async () => {
    const { repo, github } = await withGitHub(backlog(3));
    let lost = 0;
    github.intercept = ({ method }) => (method === 'POST' && lost++ === 0 ? 'done-without-answer' : null);
    expect((await sync(repo, github)).code).toBe(0);
    expect(github.issues.size).toBe(3);
  });

  test('a list in pages is read to its end', async () => {
    const { repo, github } = await withGitHub(backlog(1));
    await sync(repo, github);
    for (let number = 0; number < 250; number += 1) github.addIssue({ labels: [{ name: 'millrace' }] });
    github.requests.splice(0);
    expect((await sync(repo, github, '--state', '.state/other')).stdout).toContain('1 unchanged');
    expect(github.requests).toHaveLength(3);
  });
});

describe('where it is not known what is meant', () => {
  test('a missing token is a usage error that says what to do, and nothing is written', async () => {
    const { repo, github } = await withGitHub(backlog(1));
    const { GITHUB_TOKEN: _, ...env } = github.env;
    const synced = await millrace(repo, ['sync', '--issues'], {
      ...env,
      PATH: dirname(process.execPath) + ':/usr/bin:/bin',
    });
    expect([synced.code, synced.stderr]).toEqual([
      2,
      expect.stringContaining('Set GITHUB_TOKEN or GH_TOKEN'),
    ]);
    expect(branches(repo)).toEqual([]);
  });

  test('a remote on another host gets no token, and is told that sync alone works with it', async () => {
    const { repo } = withRemote(backlog(1));
    git(repo, 'remote', 'set-url', 'origin', 'https://gitlab.example.com/acme/widgets.git');
    const synced = await millrace(repo, ['sync', '--issues'], { GITHUB_TOKEN: 'a-token-of-github' });
    expect([synced.code, synced.stderr]).toEqual([
      2,
      expect.stringContaining('Without --issues, millrace sync works with any remote, GitLab and Gitea too'),
    ]);
  });

  test('a folder without a repository is a usage error', async () => {
    const { repo } = withRemote(backlog(1));
    const synced = await millrace(join(repo, '..'), ['sync', '--workstreams', 'repo/workstreams']);
    expect([synced.code, synced.stderr]).toEqual([2, expect.stringContaining('no git repository')]);
  });
});

/** At which request it is killed, and whether GitHub did that all the same. */
const KILLS = [1, 2, 3, 4, 5].flatMap((at) =>
  at < 3
    ? [[at, false]]
    : [
        [at, false],
        [at, true],
      ],
) as [number, boolean][];

describe('a sync that is killed', () => {
  test.each(KILLS)(
    'at request %i (done: %s) is finished by the next one, and nothing is there twice',
    async (at, isDone) => {
      const { repo, github } = await withGitHub(backlog(3));
      const started = startMillrace(repo, ['sync', '--issues'], github.env);
      github.intercept = (_, number) => {
        if (number !== at) return null;
        started.killAll();
        return isDone ? 'done-without-answer' : { status: 500 };
      };
      await started.finished;
      github.intercept = () => null;
      expect((await sync(repo, github)).code).toBe(0);
      const titles = [...github.issues.values()].map(({ title }) => title);
      expect(titles.toSorted()).toEqual(['ws-01: Part 1', 'ws-02: Part 2', 'ws-03: Part 3']);
      expect(branches(repo)).toHaveLength(1);
      expect((await sync(repo, github)).stdout).toContain('3 unchanged');
    },
  );

  test('while it pushes leaves a branch that the next one pushes', async () => {
    const { repo, remote } = withRemote(backlog(3));
    const hook = join(remote, 'hooks/pre-receive');
    writeFiles(remote, { 'hooks/pre-receive': '#!/bin/sh\necho $$ > reached; exec sleep 1000\n' });
    git(remote, 'config', 'core.hooksPath', 'hooks');
    chmodSync(hook, 0o755);
    const started = startMillrace(repo, ['sync']);
    await expect
      .poll(() => existsSync(join(remote, 'reached')) && readFileSync(join(remote, 'reached'), 'utf8'), {
        timeout: 30_000,
      })
      .toMatch(/\n$/);
    started.killAll();
    await started.finished;
    // What git started on the remote's side is no child of the killed one.
    process.kill(Number(readFileSync(join(remote, 'reached'), 'utf8')), 'SIGKILL');
    rmSync(hook);
    expect((await millrace(repo, ['sync'])).code).toBe(0);
    expect([branches(repo).length, branches(remote).length]).toEqual([1, 1]);
  });
});
