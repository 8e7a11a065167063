import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { AgentResult } from '../../../src/domain/agent-result.ts';
import { mergeOf } from '../../../src/domain/changes.ts';
import { Spill } from '../../../src/store/spill/spill.ts';
import { readSpillLine, spillLine } from '../../../src/store/spill/spill-line.ts';
import { findSpills, spillFolders, spillPrefix } from '../../../src/store/spill/spill-places.ts';
import { testResult } from '../../kit/definitions.ts';
import { databaseIn, failed, result } from '../../kit/recorded-run.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

const spilled = (id: string, output: string | null = null): AgentResult =>
  result(id, { metadata: { output } });

function spillIn(folder: string, folders: readonly string[]): Spill {
  const spill = new Spill(databaseIn(folder), folders);
  onTestFinished(() => spill.close());
  return spill;
}

/** With something in every place where a result may have something. */
const full = failed('ws-full', 'It\nbroke \u{1F4A5} \u0000 \uD800', {
  warnings: ['odd'],
  filesModified: ['a b', "c'd"],
  commitsCreated: ['abc'],
  testResults: {
    total: 2,
    passed: 1,
    failed: 1,
    manual: 0,
    cases: { total: 2, passed: 1, failed: 1, skipped: 0 },
    tests: [
      testResult('npm test', 'failed', {
        durationSeconds: 0.5,
        format: 'junit',
        counts: { total: 2, passed: 1, failed: 1, skipped: 0 },
        cases: [{ suite: 's', name: 'n', status: 'failed', durationSeconds: null, message: 'no' }],
      }),
    ],
  },
  metadata: {
    output: { deep: [1, { x: null }] },
    metrics: { rate: 0.25 },
    definition: { x: [1] },
    steps: [{ id: 's', kind: 'run', status: 'failed', duration_seconds: 1, exit_code: null }],
    tools: [
      {
        tool: 'aider',
        version: null,
        model: 'm',
        sessionId: null,
        text: 't',
        tokens: { input: 1, output: null, cacheRead: null, cacheWrite: null, reasoning: null },
        costUsd: 0.01,
        turns: 1,
        toolCalls: null,
        limit: null,
        durationSeconds: 2,
      },
    ],
    changes: {
      source: 'git',
      files: [{ path: 'a', from: null, status: 'added', linesAdded: 1, linesRemoved: null }],
      commits: ['abc'],
      branch: 'b',
      base: 'x',
      head: 'y',
      contentHash: 'z',
      conflictMarkers: [],
      notes: ['n'],
    },
    merge: mergeOf({ status: 'conflict', branch: 'b', conflictsWith: ['ws-1'], files: ['a'] }),
  },
});

describe('a line', () => {
  test('gives back the whole result', () => {
    const line = spillLine(full);
    expect(line.indexOf('\n')).toBe(line.length - 1);
    expect(readSpillLine(line)).toEqual(full);
  });

  test.each([
    ['', 'nothing'],
    ['{', 'half of one'],
    ['{"level":30,"msg":"a log line"}', 'another kind of line'],
    [spillLine(spilled('ws-1')).replace('"millrace_spill":1', '"millrace_spill":2'), 'a later format'],
    [spillLine(spilled('ws-1')).replace('"completed"', '"running"'), 'a status that is not final'],
    [
      spillLine(spilled('ws-1')).replace('"durationSeconds":1', '"durationSeconds":"1"'),
      'a text for a number',
    ],
    [spillLine(spilled('ws-1')).replace('"reason":null', '"reason":"whim"'), 'an unknown reason'],
  ])('%# is refused: it is no whole result', (line) => {
    expect(readSpillLine(line)).toBeNull();
  });
});

describe('a spill', () => {
  test('keeps results on the disk, for this user only, and finds each of them again', () => {
    const folder = temporaryFolder();
    const spill = spillIn(folder, [folder]);
    expect([
      spill.keep([spilled('ws-1', 'one'), spilled('ws-2', 'two')]),
      spill.keep([spilled('ws-3', '3')]),
    ]).toEqual([true, false]);
    const [path = ''] = spill.paths;
    expect(readFileSync(path, 'utf8').trimEnd().split('\n').map(readSpillLine)).toEqual([
      spilled('ws-1', 'one'),
      spilled('ws-2', 'two'),
      spilled('ws-3', '3'),
    ]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect([spill.size, spill.get('ws-2'), spill.get('ws-3'), spill.get('ws-4')]).toEqual([
      3,
      spilled('ws-2', 'two'),
      spilled('ws-3', '3'),
      null,
    ]);
  });

  test('goes to the next folder when one takes nothing', () => {
    const folder = temporaryFolder();
    const spill = spillIn(folder, [join(folder, 'missing'), folder]);
    spill.keep([spilled('ws-1')]);
    expect(spill.paths.map((path) => path.startsWith(join(folder, 'millrace-spill-')))).toEqual([true]);
  });

  test('that no folder takes says why, and leaves no file', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    const spill = spillIn(folder, [join(folder, 'missing'), join(folder, 'file')]);
    expect(() => spill.keep([spilled('ws-1')])).toThrow(/ENOTDIR/);
    expect([spill.size, readdirSync(folder)]).toEqual([0, ['file']]);
  });
});

describe('finding spills', () => {
  /** A state folder, and a system's folder for temporary files. */
  function folders() {
    const [state, temporary] = [join(temporaryFolder(), '.state'), temporaryFolder()];
    mkdirSync(state);
    vi.stubEnv('TMPDIR', temporary);
    onTestFinished(() => void vi.unstubAllEnvs());
    return { state, temporary, database: join(state, 'x.db') };
  }

  test('takes any in the folder of the database, and in that for temporary files those of this database', () => {
    const { state, temporary, database } = folders();
    const own = join(state, 'millrace-spill-carried-here.jsonl');
    const elsewhere = join(temporary, `${spillPrefix(database)}x.jsonl`);
    writeFileSync(own, '');
    writeFileSync(elsewhere, '');
    writeFileSync(join(temporary, 'millrace-spill-000000000000-x.jsonl'), '');
    writeFileSync(join(state, 'millrace-spill-carried-here.jsonl.rejected'), '');
    expect(spillFolders(database)).toEqual([state, temporary]);
    expect(findSpills(database).toSorted()).toEqual([elsewhere, own].toSorted());
  });

  test('by whatever way the folder is reached', () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, '.state'));
    symlinkSync(folder, join(folder, 'link'));
    expect(spillPrefix(databaseIn(join(folder, 'link')))).toBe(spillPrefix(databaseIn(folder)));
  });

  test('follows no link that another user put into the folder for temporary files', () => {
    const { temporary, database } = folders();
    writeFileSync(join(temporary, 'target'), '');
    symlinkSync(join(temporary, 'target'), join(temporary, `${spillPrefix(database)}x.jsonl`));
    expect(findSpills(database)).toEqual([]);
  });

  test('finds none where no folder can be looked at', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    chmodSync(join(folder, 'file'), 0o600);
    expect(findSpills(join(folder, 'file', 'x.db'))).toEqual([]);
    expect(existsSync(join(folder, 'file'))).toBe(true);
  });
});
