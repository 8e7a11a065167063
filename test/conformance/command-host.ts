/** What a command host does, whatever it is made of. */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  chownSync,
  existsSync,
  linkSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { groupIsAlive } from '../../src/os/process-group.ts';
import { hasProcessTable } from '../../src/os/process-table.ts';
import { type Launch, type LaunchEnd, Launcher } from '../../workers/processes/launcher.ts';
import { isLiving } from '../kit/is-living.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

/** How a host is started; the path of its socket is added. */
export interface HostProgram {
  file: string;
  args: string[];
  env?: NodeJS.ProcessEnv;
  /** Another user, who owns its folders. */
  uid?: number;
  /** Node can't do everything: it reports a signal without a name as exit code 0, and passes on what it inherited. */
  isNative: boolean;
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await nextTurn();
}

/** A host, one connection to it, and a folder with a log for its commands. */
export class Host {
  readonly folder = temporaryFolder();
  readonly log = join(this.folder, 'log');
  readonly process: ChildProcess;
  /** How it ended. */
  readonly ended: Promise<{ code: number | null; signal: string | null }>;
  readonly path: string;
  readonly launcher: Launcher;
  readonly #inherited: NodeJS.ProcessEnv = { PATH: process.env['PATH'] };

  constructor({ file, args, isNative, uid, env = process.env }: HostProgram) {
    this.path = join(temporaryFolder(), 'socket');
    writeFileSync(this.log, '');
    if (uid !== undefined)
      for (const path of [dirname(this.path), this.folder, this.log]) chownSync(path, uid, uid);
    // What it inherits must not get to its commands.
    this.process = spawn(file, [...args, this.path], {
      env,
      ...(uid === undefined ? {} : { uid, gid: uid }),
      detached: true,
      stdio: ['pipe', 'ignore', 'inherit', ...(isNative ? ['pipe' as const] : [])],
    });
    this.ended = new Promise((resolve) => {
      this.process.once('exit', (code, signal) => resolve({ code, signal }));
    });
    this.launcher = new Launcher(this.path);
  }

  async tied(): Promise<this> {
    await until(() => this.launcher.isTied);
    return this;
  }

  launch(
    argv: string[],
    other: Partial<Launch> = {},
    onStarted = (_pid: number): void => undefined,
  ): Promise<LaunchEnd> {
    const inode = statSync(this.log).ino;
    const launch = { graceSeconds: 5, log: this.log, inode, folder: this.folder, argv, variables: [] };
    return this.launcher.launch({ ...launch, inherited: this.#inherited, ...other }, onStarted);
  }

  /** Runs a line and returns what it printed. */
  async printed(line: string, other: Partial<Launch> = {}): Promise<string> {
    const before = readFileSync(this.log).length;
    expect(await this.launch(['sh', '-c', line], other)).toMatchObject({ type: 'ended', code: 0 });
    return readFileSync(this.log).subarray(before).toString();
  }

  /** Ends it as the end of the run does. */
  close(): void {
    this.process.stdin?.end();
  }
}

export function describeCommandHost(name: string, program: () => HostProgram): void {
  describe(name, () => {
    let host: Host;
    let mayDie: boolean;
    beforeEach(async () => {
      mayDie = false;
      host = await new Host(program()).tied();
    });
    afterEach(async () => {
      host.close();
      const end = await host.ended;
      if (mayDie) return;
      expect(end).toEqual({ code: 0, signal: null });
      expect(existsSync(dirname(host.path))).toBe(false);
    });

    test.each([0, 3, 127, 255])('exit code %i is told', async (code) => {
      expect(await host.launch(['sh', '-c', `exit ${code}`])).toMatchObject({
        type: 'ended',
        code,
        signal: null,
        left: expect.stringMatching(/^(nothing|elsewhere)$/),
      });
    });

    test.each(['SIGKILL', 'SIGTERM', 'SIGSEGV', 'SIGPIPE', 'SIGHUP'])('%s is told', async (signal) => {
      const line = `ulimit -c 0; kill -${signal.slice(3)} $$`;
      expect(await host.launch(['sh', '-c', line])).toMatchObject({ type: 'ended', code: null, signal });
    });

    test.runIf(program().isNative)('a signal without a name is one all the same', async () => {
      const end = await host.launch(['sh', '-c', 'kill -40 $$']);
      expect(end).toMatchObject({ type: 'ended', code: null, signal: null });
    });

    test('a command leads a session and a group, and has no input', async () => {
      const printed = await host.printed('ps -o pid=,pgid=,sid= -p $$; cat; tty || true');
      const [pid, group, session] = printed.trim().split(/\s+/);
      expect([group, session]).toEqual([pid, pid]);
      expect(printed).toContain('not a tty');
    });

    test('a command that runs is told with its pid, at its end too', async () => {
      const started: number[] = [];
      const go = join(host.folder, 'go');
      const line = `echo $$ > pid; until [ -e ${go} ]; do sleep 0.01; done`;
      const end = host.launch(['sh', '-c', line], {}, (pid) => started.push(pid));
      await until(() => started.length === 1);
      writeFileSync(go, '');
      expect(await end).toMatchObject({ type: 'ended', code: 0, pid: started[0] });
      expect(Number(readFileSync(join(host.folder, 'pid'), 'utf8'))).toBe(started[0]);
    });

    test.runIf(program().isNative)('a command has no descriptors but its input and its log', async () => {
      const printed = await host.printed('ls -l /proc/$$/fd; true');
      expect([...printed.matchAll(/ -> (.*)$/gm)].map(([, target]) => target)).toEqual([
        '/dev/null',
        host.log,
        host.log,
      ]);
    });

    test('signals have their usual effect, whatever the host does with them', async () => {
      const line = 'trap "echo hit" TERM; kill -TERM $$; trap - INT; kill -INT $$; echo not reached';
      expect(await host.launch(['sh', '-c', line])).toMatchObject({ code: null, signal: 'SIGINT' });
      expect(readFileSync(host.log, 'utf8')).toBe('hit\n');
    });

    test('both streams are added to the log, in their order', async () => {
      writeFileSync(host.log, 'before\n');
      const end = await host.launch(['sh', '-c', 'echo one; echo two >&2; echo three']);
      expect(readFileSync(host.log, 'utf8')).toBe('before\none\ntwo\nthree\n');
      expect(end).toMatchObject({ logSize: 21 });
    });

    test('output of any size is kept', async () => {
      const end = await host.launch(['sh', '-c', 'head -c 20000000 /dev/zero']);
      expect(end).toMatchObject({ code: 0, logSize: 20_000_000 });
    });

    test('arguments arrive as they are', async () => {
      const odd = [
        '',
        ' ',
        'a b',
        "it's",
        '"',
        '$HOME `x`',
        '*',
        'line\nline',
        '\\',
        'é😀',
        '-n',
        '\u001b[31m',
      ];
      await host.launch(['printf', '%s\\0', ...odd]);
      expect(readFileSync(host.log, 'utf8').split('\0').slice(0, -1)).toEqual(odd);
    });

    test('arguments of 100 KB, and thousands of them', async () => {
      const long = 'é'.repeat(50_000);
      const many = Array.from({ length: 5_000 }, (_, index) => `${index}`);
      expect(await host.launch(['printf', '%s\\n', long, ...many])).toMatchObject({ code: 0 });
      expect(readFileSync(host.log, 'utf8')).toBe(`${[long, ...many].join('\n')}\n`);
    });

    test('more arguments than the system takes are refused', async () => {
      const tooLong = 'x'.repeat(200_000);
      expect(await host.launch(['true', tooLong])).toEqual({ type: 'not-started', code: 'E2BIG' });
      expect(await host.launch(['true'])).toMatchObject({ code: 0 });
    });

    test('variables are inherited, replaced, added and taken away', async () => {
      const inherited = {
        PATH: process.env['PATH'],
        KEPT: 'kept',
        REPLACED: 'old',
        AWAY: 'away',
        ODD: 'a=b\n"é\t',
      };
      const variables = ['REPLACED=new', 'AWAY', 'ADDED= x=y ', 'EMPTY=', 'NOT_THERE'];
      const printed = await host.printed('env -0', { inherited, variables });
      const lines = printed.split('\0').filter((line) => line !== '' && !/^(PWD|SHLVL|_|OLDPWD)=/.test(line));
      expect(lines.toSorted()).toEqual(
        [
          `PATH=${process.env['PATH']}`,
          'KEPT=kept',
          'REPLACED=new',
          'ODD=a=b\n"é\t',
          'ADDED= x=y ',
          'EMPTY=',
        ].toSorted(),
      );
    });

    test('what is inherited may change, and nothing of a command stays for the next', async () => {
      const path = { PATH: process.env['PATH'] };
      const line = 'echo "$A$B"';
      expect(await host.printed(line, { inherited: { ...path, A: '1' }, variables: ['B=2'] })).toBe('12\n');
      expect(await host.printed(line, { inherited: { ...path, A: '3' } })).toBe('3\n');
      expect(await host.printed(line, { inherited: path })).toBe('\n');
    });

    test('a program is found in the PATH that it will have', async () => {
      writeFileSync(join(host.folder, 'own-program'), '#!/bin/sh\necho found\n', { mode: 0o700 });
      const variables = [`PATH=${host.folder}:${process.env['PATH']}`];
      expect(await host.launch(['own-program'], { variables })).toMatchObject({ code: 0 });
      expect(await host.launch(['own-program'])).toEqual({ type: 'not-started', code: 'ENOENT' });
      expect(readFileSync(host.log, 'utf8')).toBe('found\n');
    });

    test('why a program was not started', async () => {
      writeFileSync(join(host.folder, 'plain'), 'text\n', { mode: 0o600 });
      writeFileSync(join(host.folder, 'no-interpreter'), '#!/no/such/program\n', { mode: 0o700 });
      const codes: unknown[] = [];
      for (const file of ['no-such-program', './plain', './no-interpreter', './plain/below', '/']) {
        const end = await host.launch([file]);
        codes.push(end.type === 'not-started' ? end.code : end);
      }
      expect(codes).toEqual(['ENOENT', 'EACCES', 'ENOENT', 'ENOTDIR', 'EACCES']);
    });

    test('a text without a first line for an interpreter is run by the shell', async () => {
      writeFileSync(join(host.folder, 'script'), 'echo "shell $1"\n', { mode: 0o700 });
      expect(await host.launch(['./script', 'it is'])).toMatchObject({ code: 0 });
      expect(readFileSync(host.log, 'utf8')).toBe('shell it is\n');
    });

    test('a folder that is not there, or was removed, is not the fault of the program', async () => {
      const gone = temporaryFolder();
      rmSync(gone, { recursive: true });
      for (const folder of [gone, host.log]) {
        expect(await host.launch(['true'], { folder })).toEqual({ type: 'not-started', code: null });
      }
      expect(await host.printed(`cd ${temporaryFolder()}; rmdir $PWD; echo $?`)).toBe('0\n');
    });

    test('output goes to no other file than the log', async () => {
      const other = join(host.folder, 'other');
      writeFileSync(other, '');
      const { ino: inode } = statSync(host.log);
      const refused = { type: 'not-started', code: null };
      const put = (make: () => void): Promise<LaunchEnd> => {
        renameSync(host.log, `${host.log}.${Math.random()}`);
        make();
        return host.launch(['echo', 'text'], { inode });
      };
      expect(await put(() => symlinkSync(other, host.log))).toEqual(refused);
      expect(await put(() => linkSync(other, host.log))).toEqual(refused);
      expect(await put(() => writeFileSync(host.log, ''))).toEqual(refused);
      expect(readFileSync(other, 'utf8')).toBe('');
    });

    test('a NUL in a word is nothing that can be sent', async () => {
      expect(await host.launch(['echo', 'a\0b'])).toEqual({ type: 'not-started', code: null });
    });

    test('what a command left in its group is told, what left the group is not waited for', async () => {
      const inGroup = await host.launch(['sh', '-c', 'sleep 1000 & echo $!']);
      const [pid] = readFileSync(host.log, 'utf8').split('\n').map(Number);
      expect(inGroup).toMatchObject({ code: 0, left: 'group' });
      process.kill(pid ?? 0, 'SIGKILL');
      const escaped = await host.launch([
        'sh',
        '-c',
        'setsid sh -c "echo \\$\\$ > pid; exec sleep 1000" & until [ -s pid ]; do :; done',
      ]);
      expect(escaped).toMatchObject({ code: 0, left: 'elsewhere' });
      process.kill(Number(readFileSync(join(host.folder, 'pid'), 'utf8')), 'SIGKILL');
    });

    test('what can have left nothing is told by the native host, what started anything is not among it', async () => {
      for (const line of ['true | true', '(exit 0); true', 'setsid true & wait']) {
        expect(await host.launch(['sh', '-c', line])).toMatchObject({ left: 'elsewhere' });
      }
      // Not while others start processes.
      let end = await host.launch(['true']);
      while (program().isNative && end.type === 'ended' && end.left !== 'nothing')
        end = await host.launch(['true']);
      expect(end).toMatchObject({ left: program().isNative ? 'nothing' : 'elsewhere' });
    });

    test('a program may become another one', async () => {
      const pids = await host.printed('echo $$; exec sh -c "echo \\$\\$"');
      const [before, after] = pids.split('\n');
      expect(after).toBe(before);
    });

    test('many at once and thousands in a row have each their own end', async () => {
      let next = 0;
      const wrong: unknown[] = [];
      const one = async (): Promise<void> => {
        while (next < 2_000) {
          const code = next++ % 200;
          const end = await host.launch(['sh', '-c', `exit ${code}`]);
          if (end.type !== 'ended' || end.code !== code) wrong.push(end);
        }
      };
      await Promise.all(Array.from({ length: 8 }, one));
      expect(wrong).toEqual([]);
    });

    test.runIf(hasProcessTable)('keeps no descriptor of what has ended', async () => {
      const count = (): number => readdirSync(`/proc/${host.process.pid}/fd`).length;
      await host.launch(['true']);
      const before = count();
      for (let index = 0; index < 50; index += 1)
        await host.launch(index % 2 === 0 ? ['true'] : ['no-such-program']);
      expect(count()).toBe(before);
    });

    test('several agents are served, each with what it inherits', async () => {
      const second = new Launcher(host.path);
      await until(() => second.isTied);
      const launch = (launcher: Launcher, value: string): Promise<LaunchEnd> =>
        launcher.launch(
          {
            graceSeconds: 5,
            log: host.log,
            inode: statSync(host.log).ino,
            folder: host.folder,
            argv: ['sh', '-c', 'exit $CODE'],
            variables: [],
            inherited: { PATH: process.env['PATH'], CODE: value },
          },
          () => undefined,
        );
      const ends = await Promise.all([
        launch(host.launcher, '3'),
        launch(second, '4'),
        launch(host.launcher, '5'),
      ]);
      expect(ends.map((end) => (end.type === 'ended' ? end.code : end))).toEqual([3, 4, 5]);
    });

    test('the end of the run ends what runs, also what ignores SIGTERM', async () => {
      const pids: number[] = [];
      const start = (line: string): Promise<LaunchEnd> =>
        host.launch(['sh', '-c', line], { graceSeconds: 0.3 }, (pid) => pids.push(pid));
      const ends = [
        start('sleep 1000'),
        start('trap "" TERM; echo > ready; while :; do sleep 1000; done'),
        start('trap "exit 0" TERM; sh -c "trap \\"\\" TERM; echo > ready2; sleep 1000" & wait'),
      ];
      await until(
        () => pids.length === 3 && ['ready', 'ready2'].every((file) => existsSync(join(host.folder, file))),
      );
      host.close();
      expect(await host.ended).toEqual({ code: 0, signal: null });
      await until(() => pids.every((pid) => !groupIsAlive(pid)));
      await Promise.all(ends);
    });

    test('a death of the host leaves its commands alone and is told to its agents', async () => {
      mayDie = true;
      let pid = 0;
      const end = host.launch(['sleep', '1000'], {}, (started) => {
        pid = started;
      });
      await until(() => pid > 0);
      host.process.kill('SIGKILL');
      expect(await end).toEqual({
        type: 'lost',
        error: new Error('the process that starts commands has ended'),
      });
      expect(isLiving(pid)).toBe(true);
      process.kill(-pid, 'SIGKILL');
      expect(host.launcher.isTied).toBe(false);
      rmSync(host.path);
    });

    const long = Buffer.alloc(4);
    long.writeUInt32LE(0xffff_ffff);
    test.each([
      ['an empty frame', Buffer.alloc(4)],
      ['a frame that is too long', long],
      ['a frame without an end', frameOf('env\0A=b')],
      ['an unknown request', frameOf('walk\0')],
      ['a request that is too short', frameOf('run\x001\x002\0')],
      ['more arguments than there are', frameOf('run\x001\x0010\0/log\x001\0/\x009\0true\0')],
      ['no argument', frameOf('run\x001\x0010\0/log\x001\0/\x000\0true\0')],
      ['a number that is none', frameOf('run\x001\x00-1\0/log\x001\0/\x001\0true\0')],
      ['a number that is too large', frameOf(`run\0${'9'.repeat(30)}\x0010\0/log\x001\0/\x001\0true\0`)],
    ])('%s ends the host', async (_, bytes) => {
      const socket = connect(host.path);
      socket.on('error', () => undefined);
      socket.write(bytes);
      expect(await host.ended).toEqual({ code: 0, signal: null });
      socket.destroy();
    });

    test('a request may come in pieces, and several at once', async () => {
      const socket = connect(host.path);
      const answers: Buffer[] = [];
      socket.on('data', (chunk) => answers.push(chunk));
      const inode = statSync(host.log).ino;
      const request = (id: number): Buffer =>
        frameOf(`run\0${id}\x0010\0${host.log}\0${inode}\0${host.folder}\x001\0/no-such-program\0`);
      const bytes = Buffer.concat([request(1), request(2), request(3)]);
      for (const byte of bytes.subarray(0, bytes.length - 20)) {
        socket.write(Buffer.from([byte]));
        await nextTurn();
      }
      socket.write(bytes.subarray(bytes.length - 20));
      const told = (): string[] => Buffer.concat(answers).toString().split('refused').slice(1);
      await until(() => told().length === 3);
      expect(told().map((text) => text.split('\0').slice(1, 4))).toEqual([
        ['1', 'program', '2'],
        ['2', 'program', '2'],
        ['3', 'program', '2'],
      ]);
      socket.destroy();
    });
  });
}

function frameOf(text: string): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32LE(Buffer.byteLength(text));
  return Buffer.concat([head, Buffer.from(text)]);
}
