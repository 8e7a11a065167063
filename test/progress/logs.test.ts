import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import type { LevelWithSilent } from 'pino';
import { expect, test } from 'vitest';
import type { RunEvent } from '../../src/domain/run-event.ts';
import { RunLog } from '../../src/progress/logs.ts';
import {
  completed,
  failed,
  progress,
  RUN,
  result,
  runEnded,
  runStarted,
  skipped,
  started,
} from '../kit/events.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

type Line = Record<string, unknown>;

/** The lines that these events make in a real file, without their times. */
function logged(level: LevelWithSilent, ...events: RunEvent[]): Line[] {
  return raw(level, ...events).map((line) => {
    const { time, ...rest } = JSON.parse(line) as Line;
    expect(time).toEqual(expect.any(Number));
    return rest;
  });
}

/** The same whether events come alone or together. */
function raw(level: LevelWithSilent, ...events: RunEvent[]): string[] {
  const withoutTimes = (lines: string[]): string[] => lines.map((line) => line.replace(/"time":\d+/, ''));
  const lines = written(level, [events]);
  const alone = written(
    level,
    events.map((event) => [event]),
  );
  expect(withoutTimes(lines)).toEqual(withoutTimes(alone));
  return lines;
}

function written(level: LevelWithSilent, lists: RunEvent[][]): string[] {
  const file = join(temporaryFolder(), 'run.log');
  const log = new RunLog({ level, descriptor: null, file });
  for (const events of lists) log.take(events);
  void log.close();
  const text = readFileSync(file, 'utf8');
  expect(text === '' || text.endsWith('\n')).toBe(true);
  return text.split('\n').slice(0, -1);
}

test('a run from its start to its end', () => {
  const lines = logged(
    'info',
    runStarted(3, 2, { expectedSeconds: 12.5 }),
    { type: 'workstream-ready', workstreamId: 'ws-1' },
    started('ws-1', 1, 0, { title: 'First', expectedSeconds: 4 }),
    progress('ws-1', 1, 0.5, 'half way'),
    completed('ws-1', 1, 1.25),
    failed('ws-2', 2, '`npm test` ended with exit code 1.', 2),
    skipped('ws-3'),
    runEnded(1, 10.5),
  );
  const finished = {
    run_id: RUN,
    event: 'workstream-finished',
    cpu_seconds: 0.5,
    attempts: 1,
    files_modified: 0,
    warnings: 0,
    log_file: null,
  };
  expect(lines).toEqual([
    {
      level: 30,
      run_id: RUN,
      event: 'run-started',
      log_version: 1,
      agents: 2,
      workstreams: 3,
      expected_seconds: 12.5,
      msg: `${RUN} started`,
    },
    {
      level: 30,
      run_id: RUN,
      event: 'workstream-started',
      agent_id: 'agent-1',
      workstream_id: 'ws-1',
      title: 'First',
      attempt: 1,
      expected_seconds: 4,
      msg: 'ws-1 started',
    },
    {
      ...finished,
      level: 30,
      agent_id: 'agent-1',
      workstream_id: 'ws-1',
      status: 'completed',
      reason: null,
      message: null,
      duration_seconds: 1.25,
      msg: 'ws-1 completed',
    },
    {
      ...finished,
      level: 50,
      agent_id: 'agent-2',
      workstream_id: 'ws-2',
      status: 'failed',
      reason: 'exit-non-zero',
      message: '`npm test` ended with exit code 1.',
      duration_seconds: 2,
      msg: 'ws-2 failed: exit-non-zero',
    },
    {
      ...finished,
      level: 40,
      agent_id: 'coordinator',
      workstream_id: 'ws-3',
      status: 'skipped',
      reason: 'dependency-failed',
      message: 'It needs "ws-1", which failed.',
      duration_seconds: null,
      msg: 'ws-3 was skipped: dependency-failed',
    },
    {
      level: 50,
      run_id: RUN,
      event: 'run-ended',
      exit_code: 1,
      duration_seconds: 10.5,
      workstreams: 3,
      completed: 1,
      failed: 1,
      skipped: 1,
      taken_over: 0,
      saved_seconds: 0,
      report: '/home/ann/reports/report.md',
      page: '/home/ann/reports/report.html',
      database: '/home/ann/.state/records.db',
      msg: `${RUN} ended with exit code 1`,
    },
  ]);
});

const WAIT = { workstreamId: 'ws-1', runId: 'ma-run-20260101-000001', explanation: 'ws-1 waits for ws-9' };

test('what else can happen', () => {
  const lines = logged(
    'debug',
    runStarted(1, 1),
    { type: 'workstream-ready', workstreamId: 'ws-1' },
    progress('ws-1', 1, null, 'reading'),
    { type: 'waiting-for-runs', waits: [WAIT], added: WAIT },
    { type: 'waiting-for-runs', waits: [], added: null },
    {
      type: 'workstream-reopened',
      workstreamId: 'ws-2',
      at: '2026-01-02T03:04:05.000Z',
      by: 'ann@host',
      status: 'failed',
      follows: null,
    },
    { type: 'agent-replaced', agentId: 'agent-1', why: 'it was out of memory' },
    { type: 'interrupting', signal: 'SIGINT', running: 1 },
    { type: 'notice', level: 'warn', text: 'odd', workstreamId: 'ws-1' },
    { type: 'notice', level: 'error', text: 'bad', workstreamId: null },
    runEnded(130, 10.5),
  );
  const run_id = RUN;
  expect(lines.slice(1, -1)).toEqual([
    { level: 20, run_id, event: 'workstream-ready', workstream_id: 'ws-1', msg: 'ws-1 is ready' },
    {
      level: 20,
      run_id,
      event: 'workstream-progress',
      agent_id: 'agent-1',
      workstream_id: 'ws-1',
      fraction: null,
      message: 'reading',
      msg: 'ws-1 reports progress',
    },
    {
      level: 30,
      run_id,
      event: 'waiting-for-runs',
      workstream_id: 'ws-1',
      other_run_id: WAIT.runId,
      waits: 1,
      msg: 'ws-1 waits for ws-9',
    },
    { level: 30, run_id, event: 'waiting-for-runs', waits: 0, msg: 'no longer waits for another run' },
    {
      level: 30,
      run_id,
      event: 'workstream-reopened',
      workstream_id: 'ws-2',
      by: 'ann@host',
      status: 'failed',
      follows: null,
      msg: 'ws-2 is open again',
    },
    {
      level: 40,
      run_id,
      event: 'agent-replaced',
      agent_id: 'agent-1',
      message: 'it was out of memory',
      msg: 'agent-1 was replaced',
    },
    { level: 40, run_id, event: 'interrupting', signal: 'SIGINT', running: 1, msg: 'interrupted by SIGINT' },
    { level: 40, run_id, event: 'notice', workstream_id: 'ws-1', msg: 'odd' },
    { level: 50, run_id, event: 'notice', msg: 'bad' },
  ]);
  expect(lines.at(-1)).toMatchObject({ level: 40, exit_code: 130 });
});

test('a notice before the run has no run, and the level decides what is written', () => {
  const notice = (level: 'info' | 'warn'): RunEvent => ({
    type: 'notice',
    level,
    text: level,
    workstreamId: null,
  });
  expect(logged('warn', notice('info'), notice('warn'), runStarted(1, 1), completed('ws-1', 1))).toEqual([
    { level: 40, event: 'notice', msg: 'warn' },
  ]);
  expect(logged('silent', notice('warn'), failed('ws-1', 1, 'no'))).toEqual([]);
});

const own = (line: string): RunEvent => ({
  type: 'workstream-log',
  workstreamId: 'ws-1',
  agentId: 'agent-1',
  line,
});

test('a workstream’s own lines go out as they came, if their level is let through', () => {
  const info =
    '{"level":30,"time":1,"run_id":"r","agent_id":"agent-1","workstream_id":"ws-1","n":3,"msg":"hi"}';
  const debug = '{"level":20,"time":1,"msg":"detail"}';
  expect(raw('info', own(info), own(debug))).toEqual([info]);
  expect(raw('debug', own(info), own(debug))).toEqual([info, debug]);
  expect(raw('silent', own(info))).toEqual([]);
  // Without a level, or with one that is no number, it counts as info.
  expect(raw('info', own('{}'), own('{"level":"bad"}'))).toEqual(['{}', '{"level":"bad"}']);
  expect(raw('warn', own('{}'))).toEqual([]);
});

test.each([
  ['no JSON', 'half a {"line'],
  ['two lines', '{"a":1}\n{"b":2}'],
  ['two lines of one object', '{"a":\r1}'],
  ['an array', '[1]'],
  ['null', 'null'],
  ['text', '"text"'],
])('what is %s becomes data', (_, line) => {
  expect(logged('info', own(line))).toEqual([
    {
      level: 30,
      event: 'workstream-log',
      agent_id: 'agent-1',
      workstream_id: 'ws-1',
      line,
      msg: 'a log line that is no JSON object',
    },
  ]);
});

test('a text of 50 MB is cut at 8 KiB, with a note', () => {
  const huge = 'é'.repeat(25_000_000);
  const [fromEvent, fromLine] = logged(
    'info',
    failed('ws-1', 1, huge),
    own(JSON.stringify({ level: 30, msg: huge })),
  );
  expect(fromEvent?.['message']).toBe(`${'é'.repeat(4_096)}… (cut, 25000000 characters in all)`);
  expect(String(fromLine?.['line'])).toMatch(/^\{"level":30,"msg":"é+… \(cut, 25000021 characters in all\)$/);
});

test('nothing in a text makes a line invalid, or acts on a terminal that shows it', () => {
  const unit = fc.oneof(
    fc.integer({ min: 0, max: 0xffff }),
    fc.constantFrom(0, 0x1b, 0x7f, 0x85, 0x9b, 0x2028, 0x2029, 0x202e, 0xd800, 0xdc00, 0xfeff),
  );
  const nasty = fc.array(unit, { maxLength: 200 }).map((units) => String.fromCharCode(...units));
  fc.assert(
    fc.property(fc.array(nasty, { minLength: 1, maxLength: 20 }), (texts) => {
      const lines = raw(
        'info',
        ...texts.map((text) => failed('ws-1', 1, text)),
        ...texts.map((text) => own(JSON.stringify({ text }))),
      );
      expect(lines).toHaveLength(texts.length * 2);
      for (const line of lines) expect(line).toMatch(/^[^\p{Cc}\p{Cs}\u2028-\u202e\ufeff]*$/u);
      const back = lines.map((line) => JSON.parse(line) as Line);
      expect(back.slice(0, texts.length).map((line) => line['message'])).toEqual(texts);
      expect(back.slice(texts.length).map((line) => line['text'])).toEqual(texts);
    }),
    { numRuns: 60 },
  );
});

test('a file is appended to, and its folder made', () => {
  const file = join(temporaryFolder(), 'a', 'b', 'run.log');
  for (const id of ['ws-1', 'ws-2']) {
    const log = new RunLog({ level: 'info', descriptor: null, file });
    log.take([{ type: 'workstream-finished', result: result(id) }]);
    void log.close();
    void log.close();
    log.take([completed('ws-after-the-end', 1)]);
  }
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  expect(lines.map((line) => (JSON.parse(line) as Line)['workstream_id'])).toEqual(['ws-1', 'ws-2']);
});

test('a file that can not be opened is said at once', () => {
  const folder = temporaryFolder();
  expect(() => new RunLog({ level: 'info', descriptor: null, file: folder })).toThrow(/folder/);
});

test('the logger itself is bound to the run once it has started', () => {
  const file = join(temporaryFolder(), 'run.log');
  const log = new RunLog({ level: 'info', descriptor: null, file });
  log.take([runStarted(1, 1)]);
  log.logger.info({ event: 'something' }, 'else');
  void log.close();
  const last = readFileSync(file, 'utf8').trimEnd().split('\n').at(-1) ?? '';
  expect(JSON.parse(last)).toMatchObject({ run_id: RUN, event: 'something', msg: 'else' });
});

test('how many agents there are and why', () => {
  const scaled = (from: number | null, to: number): RunEvent => ({
    type: 'agents-scaled',
    change: { at: '', from, to, reason: from === null ? 'start' : 'waiting', explanation: 'they wait' },
    agents: [],
  });
  expect(logged('info', scaled(null, 1), scaled(1, 2))).toEqual([
    {
      level: 30,
      event: 'agents-scaled',
      from: null,
      to: 1,
      reason: 'start',
      message: 'they wait',
      msg: 'starts with 1 agent: start',
    },
    {
      level: 30,
      event: 'agents-scaled',
      from: 1,
      to: 2,
      reason: 'waiting',
      message: 'they wait',
      msg: '1 → 2 agents: waiting',
    },
  ]);
});

test('as text a value that could be taken for something else is JSON, and a line is one line', () => {
  const file = join(temporaryFolder(), 'run.log');
  const log = new RunLog({ level: 'info', descriptor: null, file, format: 'text' });
  const line = JSON.stringify({
    level: 40,
    time: 0,
    msg: 'two\nlines',
    a: 'b c',
    d: '\u001B[2J',
    e: { f: [1] },
    g: null,
  });
  log.take([{ type: 'workstream-log', workstreamId: 'ws-1', agentId: 'agent-1', line }]);
  void log.close();
  expect(readFileSync(file, 'utf8')).toBe(
    '1970-01-01T00:00:00.000Z WARN  two lines a="b c" d="\\u001b[2J" e={"f":[1]}\n',
  );
});
