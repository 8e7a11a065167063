/** What `plan --queue` says of a project's way to hosts. It asks no Redis. */
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { millrace, writeFiles } from '../kit/command.ts';
import { commitAll, git } from '../kit/repository.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const QUEUE = ['--queue', 'unix:///nowhere/redis.sock'];
const MODULE = 'export default () => 1;\n';

let project = '';

beforeEach(() => {
  project = temporaryFolder();
  const definitions = [
    { id: 'travels', steps: [{ module: './travels.mjs' }] },
    { id: 'ignored', steps: [{ module: './ignored.mjs' }, { run: 'true', cwd: 'built' }] },
    { id: 'outside', steps: [{ run: 'true', cwd: '/' }] },
  ];
  writeFiles(project, {
    'workstreams/all.json': JSON.stringify(definitions),
    'workstreams/travels.mjs': MODULE,
    'workstreams/ignored.mjs': MODULE,
    'built/file.txt': 'made here',
    '.gitignore': 'ignored.mjs\nbuilt/\n.state/\nreports/\n',
  });
  symlinkSync('/etc', join(project, 'link'));
  git(project, 'init', '-q');
  commitAll(project);
});

const travelling = async (...args: string[]) => {
  const { stdout } = await millrace(project, ['plan', '--format', 'json', ...args]);
  return JSON.parse(stdout).travelling;
};

describe('what hosts get of a project', () => {
  test('is what git does not ignore, with its size', async () => {
    const { source, snapshot, leftOut } = await travelling(...QUEUE);
    expect({ source, files: snapshot.files }).toEqual({ source: 'snapshot', files: 3 });
    expect(snapshot.compressedBytes).toBeGreaterThan(0);
    expect(leftOut).toEqual([{ path: 'link', why: 'it is a symbolic link to a place outside the project' }]);
  });

  test('is not what workstreams name outside the project, nor what git ignores', async () => {
    const { stdout, code } = await millrace(project, ['plan', ...QUEUE]);
    expect(stdout).toContain(
      "ignored names workstreams/ignored.mjs, which git ignores or which can't travel",
    );
    expect(stdout).toContain('ignored names built, which git ignores');
    expect(stdout).toContain('outside names /, which is outside the project');
    expect(stdout).not.toContain('travels names');
    expect(code).toBe(0);
  });

  test('is not looked for where they have the folder, or fetch a commit, or where no queue is used', async () => {
    expect(await travelling(...QUEUE, '--source', 'shared')).toMatchObject({
      source: 'shared',
      snapshot: null,
    });
    expect(await travelling(...QUEUE, '--source', 'git:https://example.org/p.git')).toMatchObject({
      source: 'git',
      missing: [{ id: 'outside' }],
    });
    expect(await travelling()).toBeNull();
  });

  test('does not matter where a run refuses to begin', async () => {
    writeFiles(project, {
      'workstreams/agent.json': JSON.stringify({ id: 'agent', steps: [{ tool: 'claude', tasks: ['x'] }] }),
    });
    const { stdout, code } = await millrace(project, ['plan', ...QUEUE]);
    expect(stdout).toContain('A run refuses to begin: Tool steps');
    expect(code).toBe(1);
  });
});
