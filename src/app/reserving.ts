/** What the workstreams of a run reserve, and what there is for them. */
import type { Broken, Capacity, LoadedFolder, PlannedReservations } from '../domain/plan.ts';
import { declaredReservation, type Reservation, type Workstream } from '../domain/workstream.ts';
import { memoryMb as machineMemoryMb } from '../os/machine.ts';
import { usableCores } from '../os/usable-cores.ts';
import type { Reserving } from '../plan/reservations.ts';
import type { RunOptions } from './options.ts';

export type CapacityOptions = Pick<RunOptions, 'cpus' | 'memory'> & Partial<Pick<RunOptions, 'queue'>>;

/** What each workstream of a run reserves, and what there is for all of them. */
export interface RunReserving extends Reserving {
  needs: readonly Reservation[];
  capacity: Capacity;
}

/** What a run with these options may reserve for its workstreams: what they say, or else what this machine allows. */
const capacityOf = ({ cpus, memory }: CapacityOptions): Capacity => ({
  cpus: cpus ?? usableCores(),
  memoryMb: memory ?? machineMemoryMb(),
  given: { cpus: cpus !== null, memoryMb: memory !== null },
});

/** Whether hosts execute the workstreams. */
export const isRemote = ({ queue = null }: Partial<Pick<RunOptions, 'queue'>>): boolean =>
  queue !== null && queue !== 'none';

/** Null where none of them reserves anything, which costs nothing then. */
export function reservingOf(
  workstreams: readonly Workstream[],
  options: CapacityOptions,
): RunReserving | null {
  // What hosts have is not known before they take something.
  if (isRemote(options)) return null;
  const isAny = options.cpus !== null || workstreams.some((each) => declaredReservation(each) !== null);
  if (!isAny) return null;
  const capacity = capacityOf(options);
  return { needs: workstreams.map((workstream) => reservationIn(workstream, capacity)), capacity };
}

/** What `plan` says of it. */
export function plannedReservations(
  workstreams: readonly Workstream[],
  options: CapacityOptions,
): PlannedReservations | null {
  const reserving = reservingOf(workstreams, options);
  if (reserving === null) return null;
  const { needs, capacity } = reserving;
  return {
    capacity,
    workstreams: needs.filter(({ cpus, memoryMb }) => cpus !== null || memoryMb !== null).length,
    mostAtOnce: mostAtOnce(needs, capacity),
  };
}

/** How many of them can be executed at the same time at most, as far as that depends on what they reserve. */
export function mostOf(workstreams: readonly Workstream[], options: CapacityOptions): number {
  const reserving = reservingOf(workstreams, options);
  return reserving === null ? workstreams.length : mostAtOnce(reserving.needs, reserving.capacity);
}

/** Fails those that need more than the run may reserve, before anything is planned. */
export function withoutUnfitting(loaded: LoadedFolder, options: CapacityOptions): LoadedFolder {
  if (isRemote(options) || !loaded.workstreams.some((each) => declaredReservation(each) !== null))
    return loaded;
  const capacity = capacityOf(options);
  const broken: Broken[] = [];
  const workstreams = loaded.workstreams.filter((workstream) => {
    const unfitting = unfittingOf(workstream, capacity);
    if (unfitting !== null) broken.push(unfitting);
    return unfitting === null;
  });
  return { ...loaded, workstreams, broken: [...loaded.broken, ...broken] };
}

function unfittingOf(workstream: Workstream, capacity: Capacity): Broken | null {
  const need = reservationIn(workstream, capacity);
  const of = exceeds(need, capacity);
  if (of === null) return null;
  const { id, title, source } = workstream;
  const [needed, available, isGiven] =
    of === 'cpus'
      ? [need.cpus ?? 0, capacity.cpus, capacity.given.cpus]
      : [need.memoryMb ?? 0, capacity.memoryMb, capacity.given.memoryMb];
  return {
    id,
    title,
    source,
    failure: { reason: 'insufficient-resources', of, needed, available, isGiven },
  };
}

/**
 * What a workstream reserves in a run. One that says nothing of processors reserves one where the run has a number of its
 * own, and else none: agents that wait for something may be more than the processors. A memory limit is no need, so one
 * above what there is reserves all of it.
 */
function reservationIn(workstream: Workstream, { cpus, memoryMb, given }: Capacity): Reservation {
  const limit = workstream.memoryLimitMb;
  return {
    cpus: workstream.cpus ?? (given.cpus ? Math.min(1, cpus) : null),
    memoryMb: workstream.memoryMb ?? (limit === null ? null : Math.min(limit, memoryMb)),
  };
}

/** What of a reservation is more than there is; null where it fits. */
function exceeds({ cpus, memoryMb }: Reservation, capacity: Capacity): 'cpus' | 'memory' | null {
  if ((cpus ?? 0) > capacity.cpus) return 'cpus';
  return (memoryMb ?? 0) > capacity.memoryMb ? 'memory' : null;
}

/**
 * How many of these can be executed at the same time, at most: the smallest are counted, by processors and by memory
 * apart. O(n log n).
 */
function mostAtOnce(reservations: readonly Reservation[], capacity: Capacity): number {
  return Math.min(
    fitting(
      reservations.map(({ cpus }) => cpus ?? 0),
      capacity.cpus,
    ),
    fitting(
      reservations.map(({ memoryMb }) => memoryMb ?? 0),
      capacity.memoryMb,
    ),
  );
}

/** How many of these, the smallest first, fit into what there is. The tolerance is for sums of fractions. */
function fitting(needs: readonly number[], room: number): number {
  let sum = 0;
  let count = 0;
  for (const need of needs.toSorted((a, b) => a - b)) {
    sum += need;
    if (sum > room + 1e-6) break;
    count += 1;
  }
  return count;
}
