import type { CgroupUse } from './cgroup.ts';
import type { MachineUsage } from './machine-usage.ts';

/** What bounds the memory of this process, in bytes: the container or the machine, whichever has less left. */
export function memoryLeft(
  cgroup: Pick<CgroupUse, 'memory'>,
  machine: Pick<MachineUsage, 'memory'>,
): { limit: number; available: number } | null {
  const [least] = [cgroup.memory, machine.memory]
    .filter((memory) => memory !== null)
    .toSorted((a, b) => a.available - b.available);
  return least ?? null;
}
