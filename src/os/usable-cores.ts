import { availableParallelism } from 'node:os';
import { Cgroups } from './cgroup.ts';

/**
 * The number of processors that this process can use: those of its affinity, bounded by the quota of its control groups,
 * which Node 20 does not know. A fraction under a quota.
 */
export function usableCores(quota: number | null = new Cgroups().read().cores): number {
  return Math.min(availableParallelism(), quota ?? Number.POSITIVE_INFINITY);
}
