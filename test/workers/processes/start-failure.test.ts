/** Commands through the real engine: what the system and real shells say of those that they can't start. */
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeFailure } from '../../../src/domain/failure-message.ts';
import type { Step } from '../../../src/domain/workstream.ts';
import { ThreadEngine } from '../../../src/engine/threads.ts';
import { notStarted } from '../../../workers/processes/start-failure.ts';
import { acceptanceCommand, assignment, commandStep, runStep, workstream } from '../../kit/definitions.ts';
import { engineSettings } from '../../kit/engine-settings.ts';

const folder = mkdtempSync(join(realpathSync(tmpdir()), 'millrace-'));

let direct: ThreadEngine;
let forking: ThreadEngine;
beforeAll(() => {
  const settings = { ...engineSettings(join('/nowhere', 'cache')), agents: 1 };
  direct = new ThreadEngine({ ...settings, manyCommands: false });
  forking = new ThreadEngine({ ...settings, manyCommands: true });
  makeFiles();
});
afterAll(async () => {
  await Promise.all([direct.close(), forking.close()]);
  rmSync(folder, { recursive: true, force: true });
});

function makeFiles(): void {
  const scripts: Record<string, string> = {
    'crlf.sh': '#!/bin/sh\r\necho hi\r\n',
    'lost.sh': '#!/no/such/interpreter -x\necho hi\n',
    'env.sh': '#!/usr/bin/env no-such-node\n',
    'env-s.sh': '#!/usr/bin/env -S A=1 no-such-node --flag\n',
    'env-crlf.sh': '#!/usr/bin/env node\r\n',
    'plain.sh': 'echo hi\n',
    'inner.sh': '#!/bin/sh\nno-such-inner\n',
    'noexec.sh': '#!/bin/sh\n',
    'windows.exe': 'MZ\u0000\u0000',
  };
  for (const [name, text] of Object.entries(scripts))
    writeFileSync(join(folder, name), text, { mode: 0o755 });
  chmodSync(join(folder, 'noexec.sh'), 0o644);
  mkdirSync(join(folder, 'sub'));
  symlinkSync('nowhere', join(folder, 'dangling'));
}

let runs = 0;

/** What a workstream of this one step fails with; null where it completes. */
async function failureOf(step: Step, engine = direct): Promise<{ reason: string; said: string } | null> {
  runs += 1;
  const { failure } = await engine.execute(assignment(folder, workstream(`ws-${runs}`, [step])), {
    signal: new AbortController().signal,
    onMessage: () => undefined,
  });
  return failure === null ? null : { reason: failure.reason, said: describeFailure(failure) };
}

const NOT_FOUND = 'command-not-found';
const NOT_EXECUTABLE = 'command-not-executable';

describe.each([
  ['a command', (file: string) => commandStep([file])],
  ['a line for sh', (line: string) => runStep(line)],
  ['a line for bash', (line: string) => commandStep(['bash', '-c', line])],
  ['a line of several commands', (line: string) => runStep(`set -e\ntrue\n${line}\necho on`)],
])('%s', (_, step) => {
  test.each([
    ['no-such-command', NOT_FOUND, 'There is no command "no-such-command" on PATH.'],
    ['./no-such-file', NOT_FOUND, 'There is no command "./no-such-file".'],
    ['./plain.sh/x', NOT_FOUND, 'There is no command "./plain.sh/x".'],
    ['./inner.sh', NOT_FOUND, 'There is no command "no-such-inner" on PATH.'],
    [
      './crlf.sh',
      NOT_EXECUTABLE,
      '`./crlf.sh` can\'t be run: it has Windows line ends, so its first line names the interpreter "/bin/sh\\r"',
    ],
    [
      './lost.sh',
      NOT_EXECUTABLE,
      'its first line names the interpreter /no/such/interpreter, which does not exist',
    ],
    [
      './env.sh',
      NOT_EXECUTABLE,
      "`./env.sh` can't be run: its first line names the interpreter no-such-node, which",
    ],
    [
      './env-s.sh',
      NOT_EXECUTABLE,
      "`./env-s.sh` can't be run: its first line names the interpreter no-such-node, which",
    ],
    [
      './env-crlf.sh',
      NOT_EXECUTABLE,
      '`./env-crlf.sh` can\'t be run: it has Windows line ends, so its first line names the interpreter "node\\r"',
    ],
    [
      './noexec.sh',
      NOT_EXECUTABLE,
      "`./noexec.sh` can't be run: its file is not executable. Make it so with `chmod +x",
    ],
    ['./sub', NOT_EXECUTABLE, "`./sub` is a folder and can't be run."],
    ['./dangling', NOT_EXECUTABLE, 'it is a link to nowhere, which does not exist'],
    ['./windows.exe', NOT_EXECUTABLE, 'it is a program for Windows'],
  ])('%s: %s', async (file, reason, said) => {
    const failure = await failureOf(step(file));
    expect(failure?.reason).toBe(reason);
    expect(failure?.said).toContain(said);
  });

  test('a script without a first line that names an interpreter is run', async () => {
    expect(await failureOf(step('./plain.sh'))).toBeNull();
  });
});

describe('a line', () => {
  test.each([
    ['exec no-such-command', 'no-such-command'],
    ['eval no-such-command', 'no-such-command'],
    ['env no-such-command', 'no-such-command'],
    ['nice no-such-command', 'no-such-command'],
    ['timeout 9 no-such-command', 'no-such-command'],
    ['xargs no-such-command < /dev/null', 'no-such-command'],
    ['true | no-such-command', 'no-such-command'],
    ['x=$(no-such-command); exit $?', 'no-such-command'],
    ['"no such command"', 'no such command'],
    ['./inner.sh 2>&1 | cat; exit 127', 'no-such-inner'],
  ])('%s: names what is missing', async (line, command) => {
    expect(await failureOf(runStep(line))).toEqual({
      reason: NOT_FOUND,
      said: `There is no command "${command}" on PATH.`,
    });
  });

  test('is followed to the folder that it changes to', async () => {
    const failure = await failureOf(runStep('cd sub && ../crlf.sh'));
    expect(failure?.said).toContain("`../crlf.sh` can't be run: it has Windows line ends");
  });

  test.each([
    'exit 127',
    'exit 126',
    'node -e "process.exit(127)"',
    'echo page not found; exit 127',
    'echo "app: settings.toml: not found"; exit 127',
    'echo "app: settings.toml: Permission denied"; exit 126',
    'echo "sh: 1: ls: not found"; exit 127',
    'no-such-command || exit 3',
  ])('%s: ends by itself', async (line) => {
    expect((await failureOf(runStep(line)))?.reason).toBe('exit-non-zero');
  });

  test('is told the same by the command host', async () => {
    const found = [];
    for (const step of [runStep('no-such-command'), runStep('./crlf.sh'), commandStep(['./crlf.sh'])]) {
      found.push((await failureOf(step, forking))?.reason);
    }
    expect(found).toEqual([NOT_FOUND, NOT_EXECUTABLE, NOT_EXECUTABLE]);
  });

  test('keeps what was printed', async () => {
    const { failure } = await direct.execute(
      assignment(folder, workstream('ws-a', [runStep('echo before; no-such-command')])),
      { signal: new AbortController().signal, onMessage: () => undefined },
    );
    expect(failure).toMatchObject({ reason: NOT_FOUND, log: join(folder, 'ws-a.log') });
    expect(failure).toHaveProperty('tail', expect.stringContaining('before\n'));
  });
});

test('an acceptance test says what keeps it from being run', async () => {
  const definition = workstream('ws-a', [runStep('true')], {
    acceptanceTests: [acceptanceCommand('./crlf.sh'), acceptanceCommand('./noexec.sh')],
  });
  const { tests } = await direct.execute(assignment(folder, definition), {
    signal: new AbortController().signal,
    onMessage: () => undefined,
  });
  expect(tests.map(({ detail }) => detail)).toEqual([
    expect.stringMatching(/^`\.\/crlf\.sh` can't be run: it has Windows line ends.* \(exit code 127\)$/),
    expect.stringMatching(/^`\.\/noexec\.sh` can't be run: its file is not executable.* \(exit code 126\)$/),
  ]);
});

describe('what shells print that need not be here', () => {
  const said = (exitCode: number, printed: string): string | null => {
    const command = { shown: 'x', file: 'x', args: [], shell: true, cwd: '/', env: {}, containment: null };
    const failure = notStarted(command, exitCode, { tail: printed, log: null });
    return failure === null ? null : describeFailure(failure);
  };

  test.each([
    ['sh: frob: not found\n', 'frob'],
    ['/bin/sh: line 1: frob: command not found\n', 'frob'],
    ['bash: Zeile 1: frob: Kommando nicht gefunden.\n', 'frob'],
    ['zsh:1: command not found: frob\n', 'frob'],
    ["env: 'frob': No such file or directory\n", 'frob'],
    ['env: frob: No such file or directory\n', 'frob'],
    ['> app@1.0.0 test\n> frob\n\nsh: 1: frob: not found\nnpm error code 127\n', 'frob'],
    ['first: 1: a: not found\nb.sh: 9: frob: not found\n', 'frob'],
  ])('%j', (printed, command) => {
    expect(said(127, printed)).toBe(`There is no command "${command}" on PATH.`);
  });

  test.each(['', 'page not found\n', 'app: page: not found\n', 'error: 3 files: not found here\n'])(
    '%j says nothing of a command',
    (printed) => {
      expect(said(127, printed)).toBeNull();
    },
  );

  test('an interpreter that bash names', () => {
    const printed = 'bash: ./gone/x.sh: /bin/sh^M: bad interpreter: No such file or directory\n';
    expect(said(126, printed)).toBe("`./gone/x.sh` can't be run: /bin/sh^M: bad interpreter.");
  });
});
