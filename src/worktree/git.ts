/** Starts git. Nothing else in Millrace does. */
import { spawn } from 'node:child_process';

/** How one call of git ended. */
export interface GitResult {
  /** 127 where git can't be started, 128 where a signal ended it. */
  exitCode: number;
  stdout: string;
  stderr: string;
}

export interface GitCall {
  /** Absolute folder to run in. */
  cwd: string;
  /** Added to the cleaned environment. */
  env?: Record<string, string>;
  /** Given on standard input; nothing otherwise. */
  input?: string;
}

/**
 * What the user's configuration must not do to a call of ours: run hooks, ask for a key, start a daemon, refuse line
 * ends, split the index that is copied. Filters, ignore rules and attributes do apply.
 */
const CONFIGURATION = [
  'core.hooksPath=/dev/null',
  'commit.gpgSign=false',
  'tag.gpgSign=false',
  'core.fsmonitor=false',
  'core.safecrlf=false',
  'core.splitIndex=false',
  'core.quotePath=false',
  'i18n.commitEncoding=UTF-8',
  'advice.addEmbeddedRepo=false',
].flatMap((setting) => ['-c', setting]);

/** Variables that say where git's configuration and programs are; all others could send a call elsewhere. */
const KEPT = /^GIT_(CONFIG_.*|EXEC_PATH|CEILING_DIRECTORIES|DISCOVERY_ACROSS_FILESYSTEM)$/;

/** The environment without what points git to another repository, index or work tree, or changes how it matches. */
export function gitEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const own = Object.entries(env).filter(([name]) => !name.startsWith('GIT_') || KEPT.test(name));
  return { ...Object.fromEntries(own), LC_ALL: 'C', GIT_TERMINAL_PROMPT: '0', GIT_OPTIONAL_LOCKS: '0' };
}

/** Runs git without a shell. Never rejects: that git is missing is a result as well. */
export function git(args: readonly string[], { cwd, env = {}, input = '' }: GitCall): Promise<GitResult> {
  return new Promise((resolve) => {
    const child = spawn('git', [...CONFIGURATION, ...args], {
      cwd,
      env: { ...gitEnvironment(process.env), ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
      windowsHide: true,
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    const end = (exitCode: number, detail: string): void =>
      resolve({
        exitCode,
        stdout: Buffer.concat(stdout).toString('utf8'),
        stderr: Buffer.concat(stderr).toString('utf8') + detail,
      });
    child.once('error', (error) => end(127, `git could not be started: ${error.message}`));
    child.once('close', (code, signal) => end(code ?? 128, signal === null ? '' : `ended by ${signal}`));
    // It may end without having read everything; its exit code says how it went.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

/** The sentence in which git said what went wrong: the first line of an error, or the first line at all. */
export function complaint({ exitCode, stderr, stdout }: GitResult): string {
  const lines = `${stderr}\n${stdout}`.split('\n').filter((line) => line.trim() !== '');
  const said = lines.find((line) => /^(fatal|error): /.test(line)) ?? lines[0];
  return said?.replace(/^(fatal|error): /, '') ?? `git ended with exit code ${exitCode}`;
}

/** The parts of what git printed with `-z`. */
export function splitNul(text: string): string[] {
  const parts = text.split('\0');
  return parts.at(-1) === '' ? parts.slice(0, -1) : parts;
}
