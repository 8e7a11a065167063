/** What all programs of this machine use together, and what identifies it. */
import { cpus, freemem, hostname, totalmem } from 'node:os';
import { Cgroups, type CgroupUse } from './cgroup.ts';
import { readText } from './read-text.ts';
import { usableCores } from './usable-cores.ts';

export interface MachineUsage {
  /** Seconds that the processors which this process may use were busy since the machine was started. */
  busySeconds: number;
  /** Bytes; null where the system does not report what is available. */
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

/** `cpu0 user nice system idle iowait irq softirq steal …`: time stolen by other machines counts as busy. */
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

/** On Windows free memory is what is available; elsewhere it leaves out caches, so that it is not reported. */
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

/**
 * The name of this machine in a configuration: `MILLRACE_MACHINE`, or else its host name and the cores that this process
 * may use, so that a setting does not apply to another number of cores.
 */
export function machineName(env: NodeJS.ProcessEnv = process.env, cores = usableCores()): string {
  const given = env['MILLRACE_MACHINE'];
  if (given !== undefined && given !== '') return given;
  const count = Math.round(cores * 100) / 100;
  return `${hostname()}, ${count} ${count === 1 ? 'core' : 'cores'}`;
}

/** The most memory that this process can have, in MB (2^20 bytes): that of the machine, or the limit of its control groups. */
export function memoryMb(limit: number | null = new Cgroups().read().memory?.limit ?? null): number {
  return Math.floor(Math.min(totalmem(), limit ?? Number.POSITIVE_INFINITY) / 2 ** 20);
}

/** The memory that bounds this process, in bytes: that of the container or of the machine, whichever has less available. */
export function memoryLeft(
  cgroup: Pick<CgroupUse, 'memory'>,
  machine: Pick<MachineUsage, 'memory'>,
): { limit: number; available: number } | null {
  const [least] = [cgroup.memory, machine.memory]
    .filter((memory) => memory !== null)
    .toSorted((a, b) => a.available - b.available);
  return least ?? null;
}
