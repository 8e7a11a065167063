/** Runs the built command as a child process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const bin = fileURLToPath(new URL('../../dist/src/bin.js', import.meta.url));

export interface Finished {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Started {
  child: ChildProcess;
  /** Resolves with the first whole line of standard output for which `matches` is true: it is asked once about each. */
  line(matches: (line: string) => boolean): Promise<string>;
  finished: Promise<Finished>;
  /** Kills the command with everything in its process group: the run and what watches over it. */
  killAll(): void;
}

/** The environment of a machine with nothing set that Millrace looks at. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  const unwanted = /^(MILLRACE_|CI$|GITHUB_|NO_COLOR$|FORCE_COLOR$|NODE_OPTIONS$|VITEST|NODE_V8_COVERAGE$)/;
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !unwanted.test(name)));
  const coverage = process.env['NODE_V8_COVERAGE'];
  return coverage === undefined ? env : { ...env, NODE_V8_COVERAGE: coverage };
}

/** Starts `millrace ARGS` in `cwd`; with a pipe as its standard input, that stays open. */
export function startMillrace(
  cwd: string,
  args: string[],
  env: NodeJS.ProcessEnv = {},
  input: 'ignore' | 'pipe' = 'ignore',
): Started {
  const child = spawn(process.execPath, [bin, ...args], {
    cwd,
    env: { ...cleanEnvironment(), ...env },
    stdio: [input, 'pipe', 'pipe'],
    detached: true,
  });
  const killAll = (): void => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  };
  let stdout = '';
  let stderr = '';
  const waiting: (() => void)[] = [];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    for (const check of waiting) check();
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const finished = new Promise<Finished>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  const line = (matches: (line: string) => boolean): Promise<string> =>
    new Promise((resolve, reject) => {
      let looked = 0;
      const check = (): void => {
        // The rest of the last line may be still to come.
        const to = stdout.lastIndexOf('\n') + 1;
        const found = stdout.slice(looked, to).split('\n').slice(0, -1).find(matches);
        looked = to;
        if (found !== undefined) resolve(found);
      };
      waiting.push(check);
      check();
      void finished.then(() => reject(new Error(`it ended without such a line:\n${stdout}\n${stderr}`)));
    });
  return { child, line, finished, killAll };
}

/** Runs `millrace ARGS` to its end. */
export function millrace(cwd: string, args: string[], env: NodeJS.ProcessEnv = {}): Promise<Finished> {
  return startMillrace(cwd, args, env).finished;
}

/** The objects of an NDJSON text. @throws SyntaxError for a line that is none. */
export function parseLines(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** Writes files below `folder`; values that are no strings as JSON. */
export function writeFiles(folder: string, files: Record<string, unknown>): void {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(
      path,
      typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content),
    );
  }
}
