import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import type { RunEvent } from '../../src/domain/run-event.ts';
import { compiled } from '../kit/compiled.ts';
import { failed, progress, runStarted, started } from '../kit/events.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';
import { openTerminal, type Terminal, type TerminalOptions } from '../kit/terminal.ts';

const program = await compiled(new URL('live-program.ts', import.meta.url));

interface Show {
  terminal: Terminal;
  /** Tells the program, and waits until it has done so. */
  tell: (order: RunEvent | string) => Promise<string>;
}

/** Starts the program in a terminal; `wrap` makes the command of the program's own. */
async function show(options: TerminalOptions = {}, wrap = (command: string[]) => command): Promise<Show> {
  const path = join(temporaryFolder(), 'socket');
  const server = createServer().listen(path);
  onTestFinished(() => void server.close());
  const connected = once(server, 'connection') as Promise<[Socket]>;
  const [command = '', ...args] = wrap([process.execPath, program, path]);
  const terminal = await openTerminal(command, args, options);
  const [socket] = await connected;
  socket.on('error', () => socket.destroy());
  const answers = createInterface({ input: socket });
  const ended = once(answers, 'close');
  return {
    terminal,
    tell: async (order) => {
      socket.write(`${JSON.stringify(order)}\n`);
      const [answer] = (await Promise.race([once(answers, 'line'), ended])) as [string?];
      if (answer === undefined) throw new Error('The program has ended.');
      return answer;
    },
  };
}

const ESCAPE = '\u001B';
const has = (text: string) => (screen: string[]) => screen.some((line) => line.includes(text));

async function begin({ tell }: Show): Promise<void> {
  await tell(runStarted(3, 2));
  await tell(started('ws-parser', 1, 0, { title: 'Build the parser' }));
  await tell(progress('ws-parser', 1, 0.5, 'half way'));
}

test('draws the run at the bottom, and leaves nothing of it', async () => {
  const shown = await show();
  const { terminal, tell } = shown;
  await begin(shown);
  const screen = await terminal.waitFor(has('half way'));
  expect(screen[0]).toMatch(/ 0 % · 0 of 3 · /);
  expect(screen[1]).toMatch(/^agent-1 .* ws-parser Build the parser {2}████░░░░ 50 % half way$/);
  expect(screen[2]).toMatch(/^agent-2 +idle$/);
  expect(terminal.cursor).toEqual({ column: 0, row: 3, visible: false });

  await tell(failed('ws-lexer', 2, 'exit code 1'));
  await terminal.waitFor(has('✗ ws-lexer exit-non-zero exit code 1'));

  await tell('stop');
  await tell('stop');
  await tell('exit');
  expect(await terminal.exit).toBe(0);
  expect(terminal.history().filter((line) => line !== '')).toEqual(['the summary', 'the summary']);
  expect(terminal.cursor.visible).toBe(true);
});

test('the clocks go on by themselves', async () => {
  const { terminal, tell } = await show();
  const now = new Date().toISOString();
  await tell(runStarted(1, 1, { at: now }));
  await tell(started('ws-1', 1, 0, { at: now }));
  const shown = (screen: string[]): string | undefined =>
    /^agent-1 +(.+?) +ws-1/m.exec(screen.join('\n'))?.[1];
  const first = shown(await terminal.waitFor((screen) => shown(screen) !== undefined));
  await terminal.waitFor((screen) => ![undefined, first].includes(shown(screen)));
});

test('10,000 short workstreams make no more frames than the time allows', async () => {
  const { terminal, tell } = await show();
  const elapsed = Number(await tell('many'));
  await terminal.waitFor(has('100 % · 10000 of 10000'));
  const raw = terminal.raw.toString();
  const frames = raw.split(`${ESCAPE}[?2026h`).length - 1;
  // The frame that the screen was waited for, and one for a clock that may have gone on.
  expect(frames).toBeLessThanOrEqual(Math.ceil(elapsed / 99) + 2);
});

test('does not flicker: one write a frame, nothing but lines erased, the cursor hidden once', async () => {
  const shown = await show();
  const { terminal, tell } = shown;
  await begin(shown);
  await terminal.waitFor(has('50 % half way'));
  await tell(progress('ws-parser', 1, 0.75, 'further'));
  await terminal.waitFor(has('75 % further'));
  await tell('stop');
  await tell('exit');
  await terminal.exit;
  const raw = terminal.raw.toString();
  expect(raw).not.toContain(`${ESCAPE}[2J`);
  expect(raw).not.toContain(`${ESCAPE}[3J`);
  expect(raw).not.toContain(`${ESCAPE}[H`);
  expect(raw).not.toContain(`${ESCAPE}[?1049h`);
  expect(raw.split(`${ESCAPE}[?25l`)).toHaveLength(2);
  expect(raw.split(`${ESCAPE}[?25h`)).toHaveLength(2);
  // Each frame is announced and ended, and automatic wrapping is on again after it.
  expect(raw.split(`${ESCAPE}[?2026h`).length).toBe(raw.split(`${ESCAPE}[?2026l`).length);
  expect(raw.lastIndexOf(`${ESCAPE}[?7h`)).toBeGreaterThan(raw.lastIndexOf(`${ESCAPE}[?7l`));
});

test.each([
  [40, 10],
  [20, 24],
  [79, 23],
  [150, 40],
])('fits a window that becomes %i columns and %i rows, and leaves nothing behind', async (columns, rows) => {
  const shown = await show({ columns: 80, rows: 24 }, ([command = '', ...args]) => [
    'sh',
    '-c',
    'echo before; exec "$0" "$@"',
    command,
    ...args,
  ]);
  const { terminal, tell } = shown;
  await begin(shown);
  await terminal.waitFor(has('half way'));
  terminal.resize(columns, rows);
  await tell(failed('ws-lexer', 2, 'x'.repeat(300)));
  await terminal.waitFor(has('✗ ws-l'));
  for (const line of terminal.screen()) expect(line.length).toBeLessThanOrEqual(columns);
  expect(terminal.screen().filter((line) => line.startsWith('agent-1'))).toHaveLength(1);
  await tell('stop');
  await tell('exit');
  await terminal.exit;
  const text = terminal.history().filter((line) => line !== '');
  expect(text.join('')).toBe('beforethe summary');
});

test('a window so small that the terminal has moved lines out of it is clean all the same', async () => {
  const shown = await show();
  await begin(shown);
  await shown.terminal.waitFor(has('half way'));
  shown.terminal.resize(7, 5);
  await shown.tell(failed('ws-lexer', 2, 'exit code 1'));
  await shown.terminal.waitFor((screen) => screen[0] === '33 %');
  expect(shown.terminal.screen()).toEqual(['33 %', 'agent-1', 'agent-2', '✗ ws-l…', '']);
  await shown.tell('stop');
  await shown.tell('exit');
  await shown.terminal.exit;
  expect(shown.terminal.screen().join('')).toBe('the summary');
});

test('a window that is too low for all of it', async () => {
  const shown = await show({ columns: 60, rows: 4 });
  await shown.tell(runStarted(9, 9));
  const screen = await shown.terminal.waitFor(has('more agents'));
  expect(screen.slice(1)).toEqual(['agent-1       idle', '… and 8 more agents, idle', '']);
});

test('Ctrl-C that nobody listens to ends the program and shows the cursor', async () => {
  const shown = await show();
  await begin(shown);
  await shown.terminal.waitFor(has('half way'));
  expect(shown.terminal.cursor.visible).toBe(false);
  shown.terminal.type('\u0003');
  expect(await shown.terminal.exit).toBe(130);
  expect(shown.terminal.cursor.visible).toBe(true);
});

test('Ctrl-C that somebody listens to is theirs', async () => {
  const shown = await show();
  await begin(shown);
  await shown.tell('listen for SIGINT');
  await shown.terminal.waitFor(has('half way'));
  shown.terminal.type('\u0003');
  await shown.terminal.waitFor(has('told to stop'));
  await shown.tell('stop');
  await shown.tell('exit');
  expect(await shown.terminal.exit).toBe(0);
});

test('a terminal that goes away does not end the program', async () => {
  const shown = await show();
  await begin(shown);
  await shown.tell('listen for SIGHUP');
  await shown.terminal.waitFor(has('half way'));
  await shown.terminal.close();
  for (let n = 1; n <= 100; n += 1) await shown.tell(progress('ws-parser', 1, n / 100));
  await shown.tell('stop');
  await shown.tell(progress('ws-parser', 1, 1));
  await shown.tell('exit');
});

test('a crash shows the cursor', async () => {
  const shown = await show();
  await begin(shown);
  await shown.terminal.waitFor(has('half way'));
  await shown.tell('throw');
  expect(await shown.terminal.exit).toBe(1);
  expect(shown.terminal.cursor.visible).toBe(true);
  expect(shown.terminal.screen().join('\n')).toContain('Error: out of the blue');
});

test('Ctrl-Z shows the cursor, and fg goes on below', async () => {
  const shown = await show({ env: { PS1: '> ' } }, (command) => [
    'bash',
    '--norc',
    '-ic',
    `set -m; ${command.join(' ')}; echo stopped; fg`,
  ]);
  await begin(shown);
  await shown.terminal.waitFor(has('half way'));
  shown.terminal.type('\u001A');
  await shown.terminal.waitFor(has('stopped'));
  await shown.terminal.waitFor((screen) => screen.filter((line) => line.includes('half way')).length === 2);
  const raw = shown.terminal.raw.toString();
  const order = [`${ESCAPE}[?25l`, `${ESCAPE}[?25h`, 'stopped', `${ESCAPE}[?25l`];
  let from = 0;
  for (const part of order) {
    from = raw.indexOf(part, from);
    expect(from, JSON.stringify(part)).toBeGreaterThanOrEqual(0);
  }
  await shown.tell('stop');
  await shown.tell('exit');
  expect(await shown.terminal.exit).toBe(0);
  expect(shown.terminal.cursor.visible).toBe(true);
});

test('a pause frees the terminal for a question', async () => {
  const shown = await show();
  await begin(shown);
  await shown.terminal.waitFor(has('half way'));
  await shown.tell('pause');
  expect((await shown.terminal.waitFor(has('a question?'))).filter((line) => line !== '')).toEqual([
    'a question?',
  ]);
  expect(shown.terminal.cursor).toEqual({ column: 12, row: 0, visible: true });
  await shown.tell(progress('ws-parser', 1, 0.9, 'nearly'));
  await shown.tell('resume');
  const screen = await shown.terminal.waitFor(has('90 % nearly'));
  expect(screen[0]).toBe('a question? answered');
  expect(shown.terminal.cursor.visible).toBe(false);
});

test('neither colour nor more than ASCII where they are not wanted', async () => {
  const shown = await show({ env: { NO_COLOR: '1', LANG: 'C' } });
  await begin(shown);
  const screen = await shown.terminal.waitFor(has('half way'));
  expect(screen[1]).toContain('####.... 50 % half way');
  expect(shown.terminal.raw.toString()).not.toContain(`${ESCAPE}[3`);
});

test('colour where it is wanted', async () => {
  const shown = await show();
  await begin(shown);
  await shown.terminal.waitFor(has('half way'));
  expect(shown.terminal.raw.toString()).toContain(`${ESCAPE}[36magent-1${ESCAPE}[39m`);
});

test('a terminal that can not move its cursor gets the failures as lines', async () => {
  const shown = await show({ env: { TERM: 'dumb' } });
  await begin(shown);
  await shown.tell(failed('ws-lexer', 2, 'exit code 1'));
  await shown.tell('stop');
  await shown.tell('exit');
  expect(await shown.terminal.exit).toBe(0);
  expect(shown.terminal.raw.toString()).toBe('x ws-lexer exit-non-zero exit code 1\r\nthe summary\r\n');
});
