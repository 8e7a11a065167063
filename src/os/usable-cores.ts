import { availableParallelism } from 'node:os';
import { Cgroups } from './cgroup.ts';

/**
 * How many processors this process may really use: those that its affinity allows, bounded by the quota of its control
 * groups (Node 20 does not look at that). A fraction under a quota.
 */
export function usableCores(quota: number | null = new Cgroups().read().cores): number {
  return Math.min(availableParallelism(), quota ?? Number.POSITIVE_INFINITY);
}
