/** The limits that Linux sets to a group of processes, such as a container: control groups of version 1 and 2. */
import { dirname, join } from 'node:path';
import { readText } from './read-text.ts';

/** The limits of the groups of this process, and what is used of them. Null for no limit, or where it is not known. */
export interface CgroupUse {
  /** Seconds of processor time for each second. */
  cores: number | null;
  /** Of the group with that quota: seconds of processor time, periods, and the periods in which it was used up. */
  cpu: { seconds: number; periods: number; throttled: number } | null;
  /** The limit with the least memory left, in bytes. Pages of files that can be dropped count as available. */
  memory: { limit: number; available: number } | null;
}

type Controller = 'cpu' | 'cpuacct' | 'memory';

/** Version 1 writes a number above this for no limit. */
const NO_LIMIT = 2 ** 60;

/**
 * The groups of this process. The limits of the groups above them hold too, as far as they are visible: a container does
 * not see those outside.
 */
export class Cgroups {
  readonly #cpu: readonly string[];
  readonly #accounts: readonly string[];
  readonly #memory: readonly string[];

  /** @param root folder of /proc and /sys. */
  constructor(root = '/') {
    const mounts = parseMounts(readText(join(root, 'proc/self/mountinfo')));
    const groups = parseGroups(readText(join(root, 'proc/self/cgroup')));
    const folders = (controller: Controller): string[] =>
      foldersOf(mounts, groups, controller).map((folder) => join(root, folder));
    this.#cpu = folders('cpu');
    this.#accounts = folders('cpuacct');
    this.#memory = folders('memory');
  }

  read(): CgroupUse {
    const quotas = this.#cpu.flatMap((folder, index) => {
      const cores = quotaOf(folder);
      return cores === null ? [] : [{ cores, folder, accounts: this.#accounts[index] ?? folder }];
    });
    const [least] = quotas.toSorted((a, b) => a.cores - b.cores);
    const memory = this.#memory.flatMap((folder) => memoryOf(folder) ?? []);
    const [nearest] = memory.toSorted((a, b) => a.available - b.available);
    return {
      cores: least?.cores ?? null,
      cpu: least === undefined ? null : cpuOf(least.folder, least.accounts),
      memory: nearest ?? null,
    };
  }
}

interface Mount {
  /** The uppermost group that is visible here. */
  top: string;
  folder: string;
  /** Null for version 2, where each mount has all controllers. */
  controllers: string[] | null;
}

/** Lines such as `33 31 0:30 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu` (proc(5)). */
function parseMounts(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const [mount = '', system = ''] = line.split(' - ');
    const [, , , top, folder] = mount.split(' ');
    const [kind, , options = ''] = system.split(' ');
    if (top === undefined || folder === undefined || (kind !== 'cgroup' && kind !== 'cgroup2')) return [];
    return [{ top, folder, controllers: kind === 'cgroup2' ? null : options.split(',') }];
  });
}

/** Lines such as `1:cpu,cpuacct:/docker/1f` and, of version 2, `0::/user.slice`. */
function parseGroups(text: string): { controllers: string[] | null; path: string }[] {
  return text.split('\n').flatMap((line) => {
    const [, number, controllers = '', path] = /^(\d+):([^:]*):(.*)$/.exec(line) ?? [];
    if (path === undefined) return [];
    return [{ controllers: number === '0' ? null : controllers.split(','), path }];
  });
}

/** The group's folder and those of the groups above it, nearest first. Version 1 is preferred where it has the controller. */
function foldersOf(
  mounts: readonly Mount[],
  groups: ReturnType<typeof parseGroups>,
  controller: Controller,
): string[] {
  const mount =
    mounts.find(({ controllers }) => controllers?.includes(controller)) ??
    mounts.find(({ controllers }) => controllers === null);
  if (mount === undefined) return [];
  const group = groups.find(({ controllers }) =>
    mount.controllers === null ? controllers === null : controllers?.includes(controller),
  );
  const inside = below(group?.path ?? '/', mount.top);
  const folders: string[] = [];
  for (let path = inside; ; path = dirname(path)) {
    folders.push(join(mount.folder, path));
    if (path === '/') return folders;
  }
}

/** The path below the mount's top; the top itself where the group is elsewhere. */
function below(path: string, top: string): string {
  if (top === '/') return path;
  return path.startsWith(`${top}/`) ? path.slice(top.length) : '/';
}

function quotaOf(folder: string): number | null {
  const [quota, period] = readText(join(folder, 'cpu.max')).trim().split(' ');
  if (quota !== undefined && quota !== '') return coresOf(quota, period);
  return coresOf(
    readText(join(folder, 'cpu.cfs_quota_us')).trim(),
    readText(join(folder, 'cpu.cfs_period_us')).trim(),
  );
}

/** Null for "max" and -1, which mean no quota. */
function coresOf(quota: string, period: string | undefined): number | null {
  const cores = Number(quota) / Number(period);
  return Number.isFinite(cores) && cores > 0 ? cores : null;
}

function cpuOf(folder: string, accounts: string): CgroupUse['cpu'] {
  const stat = parseStat(readText(join(folder, 'cpu.stat')));
  const microseconds = stat.get('usage_usec');
  const nanoseconds = readText(join(accounts, 'cpuacct.usage')).trim();
  const seconds = microseconds === undefined ? numberOf(nanoseconds) / 1e9 : microseconds / 1e6;
  if (!Number.isFinite(seconds)) return null;
  return { seconds, periods: stat.get('nr_periods') ?? 0, throttled: stat.get('nr_throttled') ?? 0 };
}

function memoryOf(folder: string): CgroupUse['memory'] {
  const read = (name: string): string => readText(join(folder, name)).trim();
  const limit = numberOf(read('memory.max') || read('memory.limit_in_bytes'));
  const used = numberOf(read('memory.current') || read('memory.usage_in_bytes'));
  if (!(limit < NO_LIMIT && limit > 0) || Number.isNaN(used)) return null;
  const stat = parseStat(read('memory.stat'));
  const droppable = stat.get('total_inactive_file') ?? stat.get('inactive_file') ?? 0;
  return { limit, available: Math.max(0, limit - Math.max(0, used - droppable)) };
}

const numberOf = (text: string): number => (text === '' ? Number.NaN : Number(text));

/** Lines of a name and a number. */
function parseStat(text: string): Map<string, number> {
  return new Map(
    text.split('\n').map((line): [string, number] => {
      const [name = '', value] = line.split(' ');
      return [name, Number(value)];
    }),
  );
}
