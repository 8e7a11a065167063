/** What all programs of this machine together use. */
import { cpus, freemem, totalmem } from 'node:os';
import { readText } from './read-text.ts';

export interface MachineUsage {
  /** Seconds that the processors which this process may use were busy since the machine was started. */
  busySeconds: number;
  /** Bytes; null where the system does not tell what can still be used. */
  memory: { limit: number; available: number } | null;
}

/** Ticks a second of the times in /proc, on every architecture that Node runs on. */
export const TICKS = 100;

export function machineUsage(): MachineUsage {
  return process.platform === 'linux' ? onLinux() : elsewhere();
}

function onLinux(): MachineUsage {
  const allowed = allowedProcessors(readText('/proc/self/status'));
  let busySeconds = 0;
  for (const line of readText('/proc/stat').split('\n')) {
    const number = /^cpu(\d+) /.exec(line)?.[1];
    if (number !== undefined && (allowed === null || allowed.has(Number(number))))
      busySeconds += busyOf(line);
  }
  const memory = readText('/proc/meminfo');
  const limit = kilobytes(memory, 'MemTotal');
  const available = kilobytes(memory, 'MemAvailable');
  return { busySeconds, memory: limit === null || available === null ? null : { limit, available } };
}

/** `cpu0 user nice system idle iowait irq softirq steal …`: what was stolen by other machines is not there to use. */
function busyOf(line: string): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, soft = 0, stolen = 0] = line
    .split(' ')
    .slice(1)
    .map(Number);
  return (user + nice + system + irq + soft + stolen) / TICKS;
}

/** The processors of a line such as `Cpus_allowed_list:	0-3,8`; null where there is none. */
function allowedProcessors(status: string): Set<number> | null {
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1];
  if (list === undefined) return null;
  const ranges = list.split(',').map((range) => range.split('-').map(Number));
  return new Set(
    ranges.flatMap(([first = 0, last = first]) =>
      Array.from({ length: last - first + 1 }, (_, index) => first + index),
    ),
  );
}

function kilobytes(text: string, name: string): number | null {
  const value = new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(text)?.[1];
  return value === undefined ? null : Number(value) * 1024;
}

/** Free memory means what can still be used on Windows; elsewhere it leaves out what is kept only for speed. */
function elsewhere(): MachineUsage {
  const busySeconds = cpus().reduce(
    (sum, { times }) => sum + times.user + times.nice + times.sys + times.irq,
    0,
  );
  return {
    busySeconds: busySeconds / 1000,
    memory: process.platform === 'win32' ? { limit: totalmem(), available: freemem() } : null,
  };
}
