import { Chalk } from 'chalk';
import { expect, test } from 'vitest';
import type { RunEvent } from '../../src/domain/run-event.ts';
import { applyEvent, type Board, createBoard } from '../../src/progress/board.ts';
import { frame } from '../../src/progress/frame.ts';
import { ASCII, UNICODE } from '../../src/progress/style.ts';
import { begun, completed, failed, progress, runStarted, START, skipped, started } from '../kit/events.ts';

function boardOf(events: RunEvent[]): Board {
  const board = createBoard();
  for (const event of events) applyEvent(board, event);
  return board;
}

const plain = { now: START + 72_000, rows: 24, colour: new Chalk({ level: 0 }), glyphs: UNICODE };

const busy = boardOf([
  runStarted(25, 3),
  ...[1, 2, 3].map((n) => started(`ws-${n}`, n, 0)),
  completed('ws-1', 1, 30),
  completed('ws-2', 2, 30),
  failed('ws-3', 3, '`npm test` ended with exit code 1.', 30),
  skipped('ws-9'),
  started('ws-parser', 1, 30, { title: 'Build the parser and all that it needs' }),
  started('ws-lexer', 3, 30),
  started('ws-lexer', 2, 62, { attempt: 2 }),
  progress('ws-parser', 1, 0.42, 'compiling 12 of 30 files'),
  progress('ws-lexer', 2, null, 'reading'),
]);

test('a run in a window of 80 columns', () => {
  expect(frame(busy, { ...plain, columns: 80 })).toEqual([
    '██░░░░░░░░░░░ 16 % · 4 of 25 · 1 failed · 1 skipped · 1m 12s · about 5m 28s left',
    'agent-1  42s  ws-parser Build the parser and a…  ███░░░░░ 42 % compiling 12 of …',
    'agent-2  10s  ws-lexer (attempt 2)               reading',
    'agent-3       idle',
    '✗ ws-3 exit-non-zero `npm test` ended with exit code 1.',
  ]);
});

test('the hosts of a run over a queue stand below the headline, with how many of their agents are busy', () => {
  const agents = ['alpha/agent-1', 'alpha/agent-2', 'beta/agent-1'];
  const board = boardOf([
    runStarted(25, 0, { agents }),
    { ...begun('ws-1', 1, 0), agentId: 'alpha/agent-2' },
  ]);
  expect(frame(board, { ...plain, columns: 80 }).slice(1, 4)).toEqual([
    'Hosts alpha 1 of 2 busy, beta 0 of 1 busy',
    'alpha/agent-1          idle',
    expect.stringMatching(/^alpha\/agent-2 +1m 12s  ws-1/),
  ]);
});

test('what it waits for of other runs stands below the headline, until it waits for nothing', () => {
  const wait = (explanation: string) => ({
    workstreamId: 'ws-1',
    runId: 'ma-run-20260101-000001',
    explanation,
  });
  const waits = [wait('ws-1 waits for ws-8'), wait('ws-2 waits for ws-9')];
  const waiting: RunEvent = { type: 'waiting-for-runs', waits, added: null };
  const second = (...events: RunEvent[]) =>
    frame(boardOf([runStarted(25, 1), ...events]), { ...plain, columns: 80 })[1];
  expect(second(waiting)).toBe('Waiting for another run: ws-2 waits for ws-9 (and 1 more)');
  expect(second(waiting, { ...waiting, waits: [] })).toMatch(/^agent-1/);
});

test('a tool that waits for its usage limit stands below the headline, with a countdown', () => {
  const park = (tool: string, seconds: number): RunEvent => ({
    type: 'tool-parked',
    at: new Date(START).toISOString(),
    tool,
    class: 'window',
    why: "You've hit your limit",
    until: new Date(START + seconds * 1000).toISOString(),
    source: 'exact',
    resumptions: 0,
    parkedBy: null,
  });
  const board = boardOf([runStarted(2, 1), park('claude', 3_600), park('codex\u001b[31m', 60)]);
  const lines = frame(board, { ...plain, columns: 100 });
  expect(lines[1]).toMatch(/^claude waits for its usage limit, 58m 48s left \(until .+\)$/);
  expect(lines[2]).toBe('codex is tried again after its usage limit');
  applyEvent(board, { type: 'tool-resumed', at: new Date(START).toISOString(), tool: 'claude' });
  expect(frame(board, { ...plain, columns: 100 })[1]).toBe('codex is tried again after its usage limit');
});

test('the same in 200 columns', () => {
  expect(frame(busy, { ...plain, columns: 200 })).toEqual([
    '████░░░░░░░░░░░░░░░░░░░░░░░░░░ 16 % · 4 of 25 · 1 failed · 1 skipped · 1m 12s · about 5m 28s left',
    'agent-1  42s  ws-parser Build the parser and all that it needs  ███░░░░░ 42 % compiling 12 of 30 files',
    'agent-2  10s  ws-lexer (attempt 2)                              reading',
    'agent-3       idle',
    '✗ ws-3 exit-non-zero `npm test` ended with exit code 1.',
  ]);
});

test('in 40 columns what matters most is left', () => {
  expect(frame(busy, { ...plain, columns: 40 })).toEqual([
    '██░░░░░░░░░░░░ 16 % · 4 of 25 · 1 failed',
    'agent-1  42s  ws-parser Bu…  ███░░░░░ 4…',
    'agent-2  10s  ws-lexer (at…  reading',
    'agent-3       idle',
    '✗ ws-3 exit-non-zero `npm test` ended w…',
  ]);
});

test('in 20 columns there is room for the labels only', () => {
  expect(frame(busy, { ...plain, columns: 20 })).toEqual([
    '░░░░░ 16 % · 4 of 25',
    'agent-1  42s  ws-pa…',
    'agent-2  10s  ws-le…',
    'agent-3       idle',
    '✗ ws-3 exit-non-zer…',
  ]);
});

test('one column is survived', () => {
  expect(frame(busy, { ...plain, columns: 1 })).toEqual(['…', '…', '…', '…', '…']);
  expect(frame(busy, { ...plain, columns: 0 })).toEqual([]);
});

test('ASCII where the terminal shows no more', () => {
  const board = boardOf([
    runStarted(4, 1),
    started('ws-1', 1, 0, { title: 'Größe – 日本' }),
    progress('ws-1', 1, 0.5, 'ça va…'),
    failed('ws-2', 2, 'das “Ende”'),
  ]);
  expect(frame(board, { ...plain, columns: 60, glyphs: ASCII })).toEqual([
    '##........ 25 %, 1 of 4, 1 failed, 1m 12s, about 1m 15s left',
    'agent-1  1m 12s  ws-1 Gr??e ? ??  ####.... 50 % ?a va~',
    'x ws-2 exit-non-zero das ?Ende?',
  ]);
});

test('nothing before the run has started', () => {
  expect(frame(createBoard(), { ...plain, columns: 80 })).toEqual([]);
});

test('the end of a run, and a run of nothing', () => {
  const all = boardOf([runStarted(1, 1), started('ws-1', 1, 0), completed('ws-1', 1)]);
  expect(frame(all, { ...plain, columns: 80 })[0]).toBe(
    '██████████████████████████████ 100 % · 1 of 1 · 1m 12s',
  );
  expect(frame(boardOf([runStarted(0, 1)]), { ...plain, columns: 80 })[0]).toBe(
    '██████████████████████████████ 100 % · 0 of 0 · 1m 12s',
  );
});

test('neither the bar nor the share is full before all is', () => {
  const board = boardOf([
    runStarted(1_000, 1),
    ...Array.from({ length: 999 }, (_, n) => completed(`ws-${n}`, 1, 0.001)),
  ]);
  expect(frame(board, { ...plain, columns: 60 })[0]).toMatch(/^█+░ 99 % · 999 of 1000/);
});

test('an interruption says what it waits for', () => {
  const interrupting: RunEvent = { type: 'interrupting', signal: 'SIGINT', running: 2 };
  const board = boardOf([runStarted(4, 2), started('ws-1', 1, 0), started('ws-2', 2, 0), interrupting]);
  expect(frame(board, { ...plain, columns: 80 })[1]).toBe('Interrupted by SIGINT, ending 2 workstreams');
  applyEvent(board, completed('ws-1', 1));
  expect(frame(board, { ...plain, columns: 80 })[1]).toBe('Interrupted by SIGINT, ending 1 workstream');
  applyEvent(board, completed('ws-2', 2));
  expect(frame(board, { ...plain, columns: 80 })[1]).toBe('Interrupted by SIGINT, ending');
});

const many = boardOf([
  runStarted(100, 64),
  ...Array.from({ length: 64 }, (_, n) => started(`ws-${n + 1}`, n + 1, n < 32 ? 40 - n : n)),
]);

test('of 64 agents in 24 rows those are shown that have been at it for longest', () => {
  const lines = frame(many, { ...plain, columns: 80 });
  expect(lines).toHaveLength(24);
  // The starts of 1 to 32 were 40, 39, … 9 s after that of the run, those of 33 to 64 at 32 to 63 s.
  expect(lines.slice(1, -1).map((line) => line.split(' ')[0])).toEqual(
    Array.from({ length: 22 }, (_, n) => `agent-${n + 11}`),
  );
  expect(lines.at(-1)).toBe('… and 42 more agents');
  expect(lines[1]).toBe('agent-11    42s  ws-11');
});

test('failures leave the agents half of the window', () => {
  const board = boardOf([
    runStarted(100, 64),
    ...Array.from({ length: 5 }, (_, n) => failed(`ws-${n}`, 1, 'broke')),
    ...Array.from({ length: 10 }, (_, n) => started(`ws-${n + 10}`, n + 1, 1)),
  ]);
  const lines = frame(board, { ...plain, columns: 80, rows: 8 });
  expect(lines.map((line) => line.split(' ')[0])).toEqual([
    '█░░░░░░░░░░░░░░░░░░░░░░░░░░░░░',
    'agent-1',
    'agent-2',
    'agent-3',
    '…',
    '✗',
    '✗',
    '✗',
  ]);
  expect(lines[4]).toBe('… and 61 more agents, 7 of them busy');
  expect(lines.at(-1)).toMatch(/^✗ ws-4 /);
});

test('one row is the headline, and two are that and the agents', () => {
  expect(frame(many, { ...plain, columns: 80, rows: 1 })).toEqual([
    '░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░ 0 % · 0 of 100 · 1m 12s',
  ]);
  expect(frame(many, { ...plain, columns: 80, rows: 2 })[1]).toBe('… and 64 more agents');
  expect(frame(many, { ...plain, columns: 80, rows: 0 })).toEqual([]);
});

test('escapes of a workstream never reach the terminal', () => {
  const evil = '\u001B[2J\u001B]0;title\u0007x\u009B31m\r\n\u0000\u202Ey\u001B';
  const board = boardOf([
    runStarted(4, 1),
    started('ws-1', 1, 0, { title: evil }),
    progress('ws-1', 1, 0.5, evil),
    failed('ws-2', 1, evil),
  ]);
  applyEvent(board, started('ws-3', 1, 0, { title: evil }));
  for (const line of frame(board, { ...plain, columns: 200 })) expect(line).toMatch(/^\P{C}*$/u);
});

test('colour adds escapes and changes nothing else', () => {
  const coloured = frame(busy, { ...plain, columns: 80, colour: new Chalk({ level: 1 }) });
  // oxlint-disable-next-line no-control-regex
  expect(coloured.map((line) => line.replaceAll(/\u001B\[\d+m/g, ''))).toEqual(
    frame(busy, { ...plain, columns: 80 }),
  );
  expect(coloured.join('')).toContain('\u001B[31m1 failed\u001B[39m');
});
