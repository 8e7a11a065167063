import { expect, test } from 'vitest';
import { openTerminal } from './terminal.ts';

const shell = (script: string, options = {}) => openTerminal('sh', ['-c', script], options);

test('the command sees a terminal of the size asked for', async () => {
  const terminal = await shell('test -t 0 && test -t 1 && test -t 2 && stty size', { columns: 91, rows: 17 });
  expect(await terminal.exit).toBe(0);
  expect(terminal.screen()[0]).toBe('17 91');
  expect(terminal.screen()).toHaveLength(17);
});

test('the exit code is the command’s, and 128 + n for a signal', async () => {
  expect(await (await shell('exit 7')).exit).toBe(7);
  expect(await (await shell('kill -TERM $$')).exit).toBe(143);
  expect(await (await openTerminal('no-such-command', [])).exit).toBe(127);
});

test('what is typed arrives, and Ctrl-C is a signal', async () => {
  const terminal = await shell('trap "echo caught; exit 9" INT; read line; echo "got $line"; read more');
  terminal.type('hello\r');
  await terminal.waitFor((screen) => screen.includes('got hello'));
  terminal.type('\u0003');
  expect(await terminal.exit).toBe(9);
  expect(terminal.screen()).toContain('^Ccaught');
});

test('the size of the window can change', async () => {
  const terminal = await shell('trap "stty size; exit" WINCH; echo ready; while :; do sleep 0.01; done');
  await terminal.waitFor((screen) => screen[0] === 'ready');
  terminal.resize(33, 12);
  expect(await terminal.exit).toBe(0);
  expect(terminal.screen().slice(0, 2)).toEqual(['ready', '12 33']);
});

test('all that was written is there at the end, also what has left the window', async () => {
  const terminal = await shell('seq 1 1000', { rows: 5 });
  await terminal.exit;
  expect(terminal.history().slice(0, 1000)).toEqual(
    Array.from({ length: 1000 }, (_, index) => String(index + 1)),
  );
  expect(terminal.screen()).toEqual(['997', '998', '999', '1000', '']);
});

test('the cursor’s place and whether it can be seen', async () => {
  const terminal = await shell("printf '\\033[?25l\\033[3;5H'");
  await terminal.exit;
  expect(terminal.cursor).toEqual({ column: 4, row: 2, visible: false });
});

test('a command that ends is not waited for in vain', async () => {
  const terminal = await shell('echo bye; exit 3');
  await expect(terminal.waitFor((screen) => screen.includes('hello'))).rejects.toThrow(
    /^The command ended with 3 and this screen:\nbye\n/,
  );
});

test('hanging up ends the command', async () => {
  const terminal = await shell('echo ready; exec sleep 1000');
  await terminal.waitFor((screen) => screen[0] === 'ready');
  await terminal.close();
  expect(await terminal.exit).toBe(129);
});
