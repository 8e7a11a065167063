/** Histories of known truth, as the commands that look at many runs tell them. */
import { describe, expect, test } from 'vitest';
import { errorHistoryDocumentSchema } from '../../src/domain/history/failure-documents.ts';
import { trendsDocumentSchema } from '../../src/domain/history/trends-document.ts';
import { openDatabase } from '../../src/store/schema/database.ts';
import { millrace } from '../kit/command.ts';
import { recordHistory } from '../kit/recorded-history.ts';
import { databaseIn } from '../kit/recorded-run.ts';
import { type SyntheticRun, syntheticHistory, syntheticId } from '../kit/synthetic-history.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const SLOWER = syntheticId(3);
const BROKEN = syntheticId(5);
const FIXED = syntheticId(6);

function recorded(runs: number): { folder: string; history: SyntheticRun[] } {
  const history = syntheticHistory({
    seed: 4,
    runs,
    workstreams: 12,
    noise: 0.03,
    events: [
      { kind: 'slower', workstreamId: SLOWER, from: 40, ratio: 1.5 },
      { kind: 'break', workstreamId: BROKEN, message: 'Cannot reach https://host:1', from: 50, to: 99 },
      { kind: 'break', workstreamId: FIXED, message: 'Out of \u001b[31mdisk', from: 10, to: 20 },
    ],
  });
  return { folder: recordedIn(history), history };
}

function recordedIn(history: readonly SyntheticRun[]): string {
  const folder = temporaryFolder();
  const connection = openDatabase(databaseIn(folder));
  recordHistory(connection, history);
  connection.close();
  return folder;
}

const first = (text: string): string => text.split('\n')[0] ?? '';
const runAt = (history: readonly SyntheticRun[], at: number) => history.at(at)?.run.runId ?? '';

/** When the level shifted, which is known to a run or two. */
const aroundChange = (history: readonly SyntheticRun[]): string[] =>
  history.slice(37, 43).map(({ run }) => run.runId);

describe('trends', () => {
  test('name what became slower, since when, and draw it', async () => {
    const { folder, history } = recorded(60);
    const { code, stdout } = await millrace(folder, ['trends']);
    expect(code).toBe(0);
    expect(first(stdout)).toBe('1 of 12 workstreams became slower and 0 faster in the last 60 runs.');
    const row = stdout.split('\n').find((line) => line.startsWith(SLOWER));
    expect(row).toMatch(/\+ (4|5)\d %/);
    expect(aroundChange(history).filter((id) => row?.includes(id))).toHaveLength(1);
    expect(row).toMatch(/[▁-▃]{19,}[▄-█]{19,}/);
  });

  test('tell one workstream with its changes, run by run', async () => {
    const { folder, history } = recorded(60);
    const { stdout } = await millrace(folder, ['trends', SLOWER]);
    expect(first(stdout)).toMatch(new RegExp(`^${SLOWER} became slower: `));
    expect(stdout).toContain('Lasting changes');
    expect(stdout).toContain(runAt(history, -1));
    const json = await millrace(folder, ['trends', SLOWER, '--json']);
    const { workstreams } = trendsDocumentSchema.parse(JSON.parse(json.stdout));
    expect(workstreams).toHaveLength(1);
    expect(workstreams[0]?.points).toHaveLength(60);
    const changes = workstreams[0]?.changes.map(({ since }) => since.runId);
    expect(changes).toHaveLength(1);
    expect(aroundChange(history)).toContain(changes?.[0]);
  });

  test('say that there are too few runs, and that a workstream never completed', async () => {
    const { folder } = recorded(5);
    expect(first((await millrace(folder, ['trends'])).stdout)).toBe(
      'Too few runs: with 5 runs nothing can be said about 12 workstreams.',
    );
    const none = await millrace(folder, ['trends', 'ws-none']);
    expect([none.code, none.stderr]).toEqual([
      4,
      'millrace: ws-none completed in none of the last 5 runs, so nothing is known of its durations.\n',
    ]);
  });
});

describe('errors --history', () => {
  test('tells the state of every pattern, what is over last', async () => {
    const { folder, history } = recorded(60);
    const { code, stdout } = await millrace(folder, ['errors', '--history']);
    expect(code).toBe(0);
    expect(first(stdout)).toBe('2 error patterns in the last 60 runs, 1 of them not fixed.');
    const rows = stdout.split('\n').filter((line) => line.startsWith('p-'));
    expect(rows.map((row) => row.split(/ {2,}/).slice(1, 5))).toEqual([
      ['10', '1', 'recurring', runAt(history, 50)],
      ['10', '1', 'fixed', runAt(history, 10)],
    ]);
    expect(stdout).not.toContain('\u001b');
  });

  test('tells one pattern by the beginning of its id, with its workstreams, runs and commits', async () => {
    const { folder, history } = recorded(60);
    const all = await millrace(folder, ['errors', '--history', '--json']);
    const id = errorHistoryDocumentSchema.parse(JSON.parse(all.stdout)).patterns[0]?.id ?? '';
    const { stdout } = await millrace(folder, ['errors', '--history', id.slice(0, 6)]);
    expect(first(stdout)).toBe(`${id} is recurring: seen in 10 of the last 60 runs, in 1 workstream.`);
    expect(stdout).toMatch(
      new RegExp(`^${BROKEN} +recurring +${runAt(history, 50)} +${runAt(history, -1)}`, 'm'),
    );
    const { commit } = history[50]?.run ?? {};
    expect(stdout).toContain(`..${commit?.slice(0, 10)}`);
    const json = await millrace(folder, ['errors', '--history', id, '--json']);
    const { pattern } = errorHistoryDocumentSchema.parse(JSON.parse(json.stdout));
    expect(pattern?.seenIn.map(({ run }) => run.runId)).toEqual(
      history
        .slice(50)
        .map(({ run }) => run.runId)
        .toReversed(),
    );
    const markdown = await millrace(folder, ['errors', '--history', id, '--format', 'md']);
    expect(markdown.stdout).toContain('## Workstreams');
  });

  test('tells what a pattern goes with, and nothing where it goes with nothing', async () => {
    const isThere = (_: unknown, { machine }: { machine: string }): boolean => machine === 'build-2';
    const folder = recordedIn(
      syntheticHistory({
        seed: 9,
        runs: 60,
        workstreams: 6,
        machines: { 'build-1': 1, 'build-2': 1, 'build-3': 1 },
        events: [
          { kind: 'flaky', workstreamId: BROKEN, message: 'No such device', rate: 0.8, where: isThere },
          { kind: 'flaky', workstreamId: FIXED, message: 'Connection reset', rate: 0.3 },
        ],
      }),
    );
    const { stdout } = await millrace(folder, ['errors', '--history', '--json']);
    const { patterns } = errorHistoryDocumentSchema.parse(JSON.parse(stdout));
    const told = async (text: string): Promise<string> => {
      const id = patterns.find(({ pattern }) => pattern.includes(text))?.id ?? '';
      return (await millrace(folder, ['errors', '--history', id])).stdout;
    };
    expect(await told('No such device')).toMatch(
      /^It goes with machine `build-2`: in \d+ of \d+ runs there, in 0 of \d+ elsewhere\.$/m,
    );
    expect(await told('Connection reset')).not.toContain('goes with');
  });

  test('tells it as of an earlier run', async () => {
    const { folder, history } = recorded(60);
    const { stdout } = await millrace(folder, ['errors', runAt(history, 15), '--history']);
    expect(first(stdout)).toBe('1 error pattern in the last 16 runs, not fixed.');
  });

  test('refuses a pattern that there is not', async () => {
    const { folder } = recorded(12);
    const { code, stderr } = await millrace(folder, ['errors', '--history', 'p-none']);
    expect([code, stderr]).toEqual([
      4,
      'millrace: No error of the last 12 runs has the pattern p-none. See: millrace errors --history\n',
    ]);
    expect((await millrace(folder, ['errors', '--history', 'p'])).code).toBe(0);
  });
});
