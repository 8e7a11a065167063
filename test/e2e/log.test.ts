/** Every line that a real run logs is of the schema of the log. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { logLineSchema } from '../../src/progress/log-schema.ts';
import { millrace, parseLines, writeFiles } from '../kit/command.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

/** What its module writes itself has the fields that it likes. */
const isOwn = (line: Record<string, unknown>): boolean => line['event'] === undefined;

test('each line of a run with all kinds of ends passes the schema, and the first says its version', async () => {
  const folder = temporaryFolder();
  writeFiles(folder, {
    'workstreams/a.json': [
      {
        id: 'ws-a',
        matrix: { n: [1, 2, 3] },
        steps: [{ module: './a.mjs', input: '${{ matrix.n }}' }],
        cache: true,
      },
      { id: 'ws-b', steps: [{ run: 'exit 3' }], circuit_breaker: { max_attempts: 2 } },
      { id: 'ws-c', depends_on: ['ws-b'], steps: [{ run: 'true' }] },
      { id: 'ws-d', depends_on: ['ws-missing'], steps: [{ run: 'true' }] },
    ],
    'workstreams/a.mjs': `export default (n, { log, progress, warn }) => {
      progress(0.5, 'half'); log.info({ n }, 'own line'); warn('odd'); return { output: n };
    }`,
  });
  const args = ['run', '--log-level', 'debug', '--log-file', 'logs/run.log', '-j', 'auto'];
  const lines = [];
  for (const _ of [1, 2]) {
    const { stdout, code } = await millrace(folder, args);
    expect(code).toBe(1);
    const written = parseLines(stdout);
    expect(written.find(({ event }) => event === 'run-started')).toMatchObject({ log_version: 1 });
    expect(written.at(-1)).toMatchObject({ event: 'run-ended', exit_code: 1 });
    lines.push(...written);
  }
  const wrong = lines
    .filter((line) => !isOwn(line))
    .flatMap((line) => (logLineSchema.safeParse(line).success ? [] : [line]));
  expect(wrong).toEqual([]);
  expect(lines.filter(isOwn)).toHaveLength(3);
  expect(parseLines(readFileSync(join(folder, 'logs/run.log'), 'utf8'))).toEqual(lines);
});

test('--log-format text is for people, on standard output and in the file', async () => {
  const folder = temporaryFolder();
  writeFiles(folder, { 'workstreams/a.json': { id: 'ws-a', steps: [{ run: 'exit 3' }] } });
  const { stdout } = await millrace(folder, ['run', '--log-format', 'text', '--log-file', 'run.log']);
  expect(stdout).toMatch(
    /Z ERROR ws-a failed: exit-non-zero agent_id=agent-1 workstream_id=ws-a status=failed /,
  );
  expect(readFileSync(join(folder, 'run.log'), 'utf8')).toBe(stdout);
});
