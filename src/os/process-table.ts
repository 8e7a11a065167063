/** The processes of this machine as Linux lists them in /proc; there is no such table elsewhere. */
import { closeSync, existsSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';
import { TICKS } from './machine.ts';
import { pause } from './pause.ts';
import { readText, readTextOrNull } from './read-text.ts';

export const hasProcessTable = process.platform === 'linux' && existsSync('/proc/self/stat');

/** A process that is alive. One that has ended and was not reaped by its parent is not. */
export interface ProcessEntry {
  pid: number;
  parent: number;
  /** Process group. */
  group: number;
  /** When it was started, in clock ticks: distinguishes it from a later one with the same pid. */
  startedAt: string;
}

/** The pids of the living processes that were started within so many seconds before now. */
export function startedWithin(seconds: number): number[] {
  const since = (Number(readShort('/proc/uptime').split(' ')[0]) - seconds) * TICKS;
  return [...livingProcesses()].filter(({ startedAt }) => Number(startedAt) >= since).map(({ pid }) => pid);
}

/** Every living process. Zombies are left out: in a container whose first process does not reap, they stay. */
export function* livingProcesses(): Generator<ProcessEntry> {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const entry = entryOf(Number(name));
    if (entry !== null) yield entry;
  }
}

/** Null when there is no such process or it has ended. */
export function entryOf(pid: number): ProcessEntry | null {
  const stat = statOf(pid);
  const startedAt = stat[FIELD.startedAt];
  if (startedAt === undefined || hasEnded(stat)) return null;
  return { pid, parent: Number(stat[FIELD.parent]), group: Number(stat[FIELD.group]), startedAt };
}

/** When the process was started, also if it has ended and was not reaped yet; null when there is none. */
export const startOf = (pid: number): string | null => statOf(pid)[FIELD.startedAt] ?? null;

/** Whether a process of that pid has ended and was not reaped by its parent. */
export const isZombie = (pid: number): boolean => hasEnded(statOf(pid));

/** Processor time and memory of one process. */
export interface ProcessUsage {
  /** Seconds of processor time. */
  cpuSeconds: number;
  /** The same of its children that have ended and were waited for. */
  reapedCpuSeconds: number;
  /** Resident memory in pages. */
  pages: number;
}

/** Null when there is no such process. */
export function usageOf(pid: number): ProcessUsage | null {
  const stat = statOf(pid);
  const pages = stat[FIELD.pages];
  if (pages === undefined) return null;
  const seconds = (user: number, system: number): number =>
    (Number(stat[user]) + Number(stat[system])) / TICKS;
  return {
    cpuSeconds: seconds(FIELD.userTicks, FIELD.systemTicks),
    reapedCpuSeconds: seconds(FIELD.reapedUserTicks, FIELD.reapedSystemTicks),
    pages: Number(pages),
  };
}

/**
 * The pid that was assigned last, to a process or a thread; null where that is not known. Pids are assigned in rising
 * order, and from the lowest on when there are no higher ones.
 */
export function lastPid(): number | null {
  loadAverage ??= openOrNull('/proc/loadavg');
  const pid = loadAverage === null ? null : lastPidIn(loadAverage);
  // Code that closes descriptors it does not own may have closed this one.
  if (pid === null) loadAverage = null;
  return pid;
}

/** Kept open by each thread: each read from it returns the present state. */
let loadAverage: number | null = null;

function lastPidIn(descriptor: number): number | null {
  const [, pid] = /^(?:\d+\.\d+ ){3}\d+\/\d+ ([1-9]\d*)\n$/.exec(readFrom(descriptor) ?? '') ?? [];
  return pid === undefined ? null : Number(pid);
}

/** Whether there is a process or thread of this number. */
export const pidExists = (pid: number): boolean => existsSync(`/proc/${pid}`);

/**
 * Whether a variable of the environment that the process was started with holds `text`. False where that can't be
 * read: the process has ended, or it belongs to another user.
 */
export function startedWith(pid: number, variable: string, text: string): boolean {
  return variableOf(pid, variable)?.includes(text) === true;
}

/**
 * A variable of the environment that the process was started with; undefined where it has none, null where that can't
 * be read.
 */
export function variableOf(pid: number, variable: string): string | undefined | null {
  const environment = environmentOf(pid);
  if (environment === null) return null;
  const from = environment.startsWith(`${variable}=`) ? 0 : environment.indexOf(`\0${variable}=`) + 1;
  if (from === 0 && !environment.startsWith(`${variable}=`)) return undefined;
  const end = environment.indexOf('\0', from);
  return environment.slice(from + variable.length + 1, end === -1 ? undefined : end);
}

/** This thread, as `PID/task/TID`; null where that is not known. */
export function ownThread(): string | null {
  try {
    return readlinkSync('/proc/thread-self');
  } catch {
    // There is no /proc here.
    return null;
  }
}

/** The processes that a thread (see `ownThread`) has started and not waited for; none where that is not known. */
export const childrenOf = (thread: string): number[] =>
  readShort(`/proc/${thread}/children`).split(' ').filter(Boolean).map(Number);

/** The command line of a process, or its name in brackets; empty when it has ended. */
export function commandOf(pid: number): string {
  const words = commandLineOf(pid).replaceAll('\0', ' ').trim();
  if (words !== '') return Buffer.from(words, 'latin1').toString('utf8');
  const name = readText(`/proc/${pid}/comm`).trim();
  return name === '' ? '' : `[${name}]`;
}

/** That of a process which becomes another program is empty for a moment. */
function commandLineOf(pid: number): string {
  const read = (): string => readText(`/proc/${pid}/cmdline`);
  let text = read();
  for (let reading = 1; text === '' && reading < 50 && hasProgram(pid); reading++) {
    if (reading > 10) pause(1);
    text = read();
  }
  return text;
}

/** The folder that a process works in; null where that can't be read. */
export function folderOf(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    // It has ended, or belongs to another user.
    return null;
  }
}

/** This process, its parent, and so on. */
export function ancestors(): number[] {
  const found: number[] = [];
  for (let pid = process.pid; pid > 0 && !found.includes(pid); pid = entryOf(pid)?.parent ?? 0)
    found.push(pid);
  return found;
}

/** Where proc(5) has each field of /proc/PID/stat, counted from its third one, the state. */
const FIELD = {
  state: 0,
  parent: 1,
  group: 2,
  userTicks: 11,
  systemTicks: 12,
  reapedUserTicks: 13,
  reapedSystemTicks: 14,
  startedAt: 19,
  pages: 21,
} as const;

/** The fields by `FIELD`; empty when there is no such process. The name before them may hold spaces and brackets. */
function statOf(pid: number): string[] {
  const stat = readShort(`/proc/${pid}/stat`);
  return stat === '' ? [] : stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function hasEnded(stat: readonly string[]): boolean {
  const state = stat[FIELD.state];
  return state === 'Z' || state === 'X';
}

/**
 * The environment that a process was started with; null where that can't be read. Most are shorter than the buffer.
 * That of a process which becomes another program is empty for a moment, so that an empty one is read again.
 */
function environmentOf(pid: number): string | null {
  const path = `/proc/${pid}/environ`;
  let text = readStart(path);
  for (let confirmed = 0, reading = 1; text === '' && confirmed < CONFIRMATIONS; reading++) {
    if (reading > MOST_READINGS || !hasProgram(pid)) break;
    if (readShort(`/proc/${pid}/cmdline`) !== '') confirmed += 1;
    else if (reading > 10) pause(1);
    text = readStart(path);
  }
  return text?.length === buffer.length ? readTextOrNull(path) : text;
}

/** How often it must have a command line and no environment, so that it was not replaced again in between. */
const CONFIRMATIONS = 10;

/** A quarter of a second: a program is loaded at once, unless the disk or the processor keeps it waiting. */
const MOST_READINGS = 250;

/** False for a thread of the kernel, and where it is not known. */
function hasProgram(pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/exe`) !== '';
  } catch {
    // It has none, has ended, or belongs to another user.
    return false;
  }
}

/** Empty where it has ended since it was listed, or belongs to another user. */
const readShort = (path: string): string => readStart(path) ?? '';

/** Shared by all reads, which takes half as long as `readFileSync`. */
const buffer = Buffer.alloc(16_384);

/** The beginning of a file, as much as fits into the buffer: of most files all. */
function readStart(path: string): string | null {
  const descriptor = openOrNull(path);
  if (descriptor === null) return null;
  try {
    return readFrom(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function openOrNull(path: string): number | null {
  try {
    return openSync(path, 'r');
  } catch {
    // It does not exist, or belongs to another user.
    return null;
  }
}

function readFrom(descriptor: number): string | null {
  try {
    return buffer.toString('latin1', 0, readSync(descriptor, buffer, 0, buffer.length, 0));
  } catch {
    // It has ended meanwhile.
    return null;
  }
}
