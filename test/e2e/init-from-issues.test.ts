/** `millrace init --from-issues`: workstreams of issues, whose texts are of others. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { millrace, writeFiles } from '../kit/command.ts';
import { type GitHubServer, startGitHub } from '../kit/github-server.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const READY = [{ name: 'agent-ready' }];

const init = (folder: string, { env }: GitHubServer, ...args: string[]) =>
  millrace(folder, ['init', '--from-issues', 'label:agent-ready', '--tool', 'claude', ...args], env);

const definition = (folder: string, number: number): unknown =>
  JSON.parse(readFileSync(join(folder, `workstreams/ws-issue-${number}.json`), 'utf8'));

describe('workstreams of issues', () => {
  test('have their tasks, scope, acceptance and priority from the sections of the issue', async () => {
    const folder = temporaryFolder();
    const github = await startGitHub();
    github.addIssue({
      title: 'Add a --json flag',
      body: 'Why.\n\n- [ ] add it\n- [x] plan it\n- [ ] document it\n\n## Files\n\n- `src/cli/**`\n- `../outside`\n\n## Acceptance\n\n- npm test\n- [ ] it reads well\n',
      labels: [...READY, { name: 'priority: high' }],
    });
    github.addIssue({ title: 'Not this one' });
    github.addIssue({ title: 'A pull request', labels: READY, pull_request: {} });
    const made = await init(folder, github);
    expect([made.code, made.stdout]).toEqual([0, expect.stringMatching(/^1 workstream made of 1 issue/)]);
    expect(definition(folder, 1)).toEqual({
      id: 'ws-issue-1',
      title: 'Add a --json flag',
      description: expect.stringMatching(/^Why\./),
      priority: 'high',
      ccpm_issue: 1,
      tool: 'claude',
      tasks: ['add it', 'document it'],
      files_scope: ['src/cli/**'],
      acceptance_tests: [{ manual: 'npm test' }, { manual: 'it reads well' }],
      metadata: {
        issue: expect.stringContaining('/issues/1'),
        labels: ['agent-ready', 'priority: high'],
        author: 'person',
      },
    });
    expect((await millrace(folder, ['validate'])).code).toBe(0);
  });

  test('can be used whatever the issue says, and nothing of it is a command', async () => {
    const folder = temporaryFolder();
    const github = await startGitHub();
    github.addIssue({
      title: '${{ matrix.x }} \u001b[31m\u0000"; rm -rf /',
      body: '# Acceptance\n- rm -rf /\n- [ ] \u0000${{ matrix.y }}\n<!-- hidden -->\n- [ ] $(id)\n',
      labels: READY,
    });
    github.addIssue({ title: '   ', body: null, labels: READY });
    const made = await init(folder, github);
    expect(made.code).toBe(0);
    expect(made.stdout).not.toContain('\u001b');
    expect(await millrace(folder, ['validate'])).toMatchObject({
      code: 0,
      stdout: '2 files, 2 workstreams: 0 errors, 0 warnings\n',
    });
    expect(JSON.stringify(definition(folder, 1))).not.toMatch(/"run"|hidden/);
  });

  test('are made once, and never of an issue that a workstream is of', async () => {
    const folder = temporaryFolder();
    const github = await startGitHub();
    writeFiles(folder, { 'workstreams/a.json': { id: 'ws-a', ccpm_issue: 2, steps: [{ run: 'true' }] } });
    github.addIssue({ title: 'One', labels: READY });
    github.addIssue({ title: 'Two', labels: READY });
    github.addIssue({
      title: 'Three',
      labels: READY,
      body: '<!-- millrace:ws-a -->\nx\n<!-- /millrace:ws-a -->',
    });
    await init(folder, github);
    const names = readdirSync(join(folder, 'workstreams')).toSorted();
    expect(names).toEqual(['a.json', 'ws-issue-1.json']);
    expect((await init(folder, github)).stdout).toMatch(/^0 workstreams made of 3 issues/);
  });
});

describe('issues that are asked for', () => {
  test.each([
    ['label:x words', 'means nothing here'],
    ['sort:newest', 'means nothing here'],
  ])('as %j are a usage error', async (query, message) => {
    const github = await startGitHub();
    const made = await millrace(
      temporaryFolder(),
      ['init', `--from-issues=${query}`, '--tool', 'claude'],
      github.env,
    );
    expect([made.code, made.stderr]).toEqual([2, expect.stringContaining(message)]);
  });

  test('and do not exist are exit code 4; without a tool it is a usage error', async () => {
    const github = await startGitHub();
    const folder = temporaryFolder();
    expect((await init(folder, github)).code).toBe(4);
    expect((await millrace(folder, ['init', '--from-issues', 'label:x'], github.env)).code).toBe(2);
  });
});
