/**
 * A dashboard beside a run, in a process of its own: what it does takes nothing from the run, what happens to it is no
 * matter of the run, and it ends with the run's process, however that ends.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { DASHBOARD_PLACE } from '../app/paths.ts';
import { isGone, ownIdentity } from '../os/process-identity.ts';
import { readRegular } from '../os/regular-file.ts';
import { replaceFile } from '../os/replace-file.ts';
import { messageOf } from '../text/error-message.ts';
import { lowerPriority, program } from './child.ts';
import { newToken, TOKEN_VARIABLE } from './token.ts';

const MOST_BYTES = 4_096;

const ownerSchema = z.object({
  pid: z.int(),
  started: z.string().nullable(),
  hostname: z.string(),
  bootId: z.string().nullish(),
  pidNamespace: z.string().nullish(),
});
/** `run` is the process of the run: a file whose process is gone leads nowhere. */
const placeSchema = z.object({ address: z.string(), port: z.int(), token: z.string(), run: ownerSchema });
type KeptPlace = z.infer<typeof placeSchema>;

export interface BesideSettings {
  /** Folder of the database. */
  state: string;
  /** Whether a process of the same run died: then pages that are open find the dashboard where it was. */
  isContinued: boolean;
  /** Tells a person something, in a sentence. */
  tell: (level: 'info' | 'warn', text: string) => void;
}

/** Starts it. Returns what ends it. Never throws: a run needs no dashboard. */
export function startBeside(settings: BesideSettings): () => void {
  const { tell } = settings;
  const file = join(resolve(settings.state), DASHBOARD_PLACE);
  const before = settings.isContinued ? placeIn(file) : null;
  const own = process.env[TOKEN_VARIABLE] ?? null;
  const token = own ?? before?.token ?? newToken();
  let isOver = false;
  let child: ChildProcess;
  try {
    child = startChild(settings.state, token, before?.port ?? 0);
  } catch (error) {
    tell('warn', `The dashboard could not be started: ${messageOf(error)}`);
    return () => undefined;
  }
  firstLine(child, (line) => {
    const [, address, port] = /(http:\/\/\S+?:(\d+))\//.exec(line) ?? [];
    if (address === undefined || isOver) return;
    keep(file, { address, port: Number(port), token, run: ownIdentity() }, tell);
    if (own !== null) tell('info', `The dashboard is at ${address}/`);
    else if (process.stderr.isTTY)
      process.stderr.write(`millrace: The dashboard is at ${address}/#token=${token}\n`);
    // Standard error may be a log that others read.
    else tell('info', `The dashboard is at ${address}/, and its token is in ${file}`);
  });
  eachSentence(child, (text) => tell('warn', `The dashboard says: ${text}`));
  child.once('error', (error) => tell('warn', `The dashboard could not be started: ${error.message}`));
  child.once('exit', (code, signal) => {
    if (!isOver)
      tell(
        'warn',
        `The dashboard ended by itself (${signal ?? `exit code ${code}`}). The run goes on; another one: millrace dashboard`,
      );
  });
  return () => {
    isOver = true;
    if (child.connected) child.disconnect();
    rmSync(file, { force: true });
  };
}

/** Removes the file of a run that was killed. One that can't be read, or is of another machine's run, is left alone. */
export function removeDeadPlace(state: string): void {
  const file = join(resolve(state), DASHBOARD_PLACE);
  const run = placeIn(file)?.run;
  if (
    run !== undefined &&
    isGone({ ...run, bootId: run.bootId ?? null, pidNamespace: run.pidNamespace ?? null })
  )
    rmSync(file, { force: true });
}

/** It ends when its channel to this process does, also where this one is killed. */
function startChild(state: string, token: string, port: number): ChildProcess {
  const args = ['dashboard', '--state', state, '--port', String(port), '--with-parent'];
  const child = spawn(process.execPath, [program(), ...args], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, [TOKEN_VARIABLE]: token },
    // A Ctrl-C is for the run; its last results are to be seen.
    detached: true,
  });
  child.unref();
  child.channel?.unref();
  for (const stream of [child.stdout, child.stderr]) if (stream instanceof Socket) stream.unref();
  lowerPriority(child.pid);
  return child;
}

function firstLine(child: ChildProcess, take: (line: string) => void): void {
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (part: string) => {
    const had = text.includes('\n');
    text += had ? '' : part;
    if (!had && text.includes('\n')) take(text.slice(0, text.indexOf('\n')));
  });
}

/** Its sentences to a person, without what follows them, such as the lines of a stack. */
function eachSentence(child: ChildProcess, take: (text: string) => void): void {
  if (child.stderr === null) return;
  createInterface({ input: child.stderr }).on('line', (line) => {
    if (line.startsWith(ITS_OWN)) take(line.slice(ITS_OWN.length));
  });
}

const ITS_OWN = 'millrace: ';

/** Null where none can be read. */
function placeIn(file: string): KeptPlace | null {
  try {
    const read = placeSchema.safeParse(JSON.parse(readRegular(file, MOST_BYTES, true).toString()));
    return read.success ? read.data : null;
  } catch {
    // It is made anew.
    return null;
  }
}

function keep(file: string, place: KeptPlace, tell: BesideSettings['tell']): void {
  try {
    replaceFile(file, `${JSON.stringify(place)}\n`, { mode: 0o600, durable: false });
  } catch (error) {
    tell('warn', `The address of the dashboard could not be kept in ${file}: ${messageOf(error)}`);
  }
}
