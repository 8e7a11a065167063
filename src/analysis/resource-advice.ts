/** What workstreams used of what they reserved, and what they should reserve. Pure. */
import type { ResourceUse } from '../domain/run-record.ts';
import type { Reservation } from '../domain/workstream.ts';
import { megabytes, processors } from '../text/amounts.ts';

/** What is known of one workstream. */
export interface UsedResources extends Omit<ResourceUse, 'advice'> {
  /** Names its definition: what is said of one member of a matrix holds for all of them. */
  definition: string;
  isCompleted: boolean;
}

/** In less time than this, in seconds, starting up is most of what is measured. */
const LEAST_SECONDS = 5;
/** What may be used beyond a whole number of processors before one more is named. */
const TOLERANCE = 0.25;
/** Memory is named in steps of this size in MB, with this much more than was seen. */
const MEMORY_STEP = 64;
const MEMORY_RESERVE = 1.25;
/** What makes a difference worth a sentence: processors; and MB. */
const NOTABLE = { cpus: 0.75, memoryMb: 256 };

/** With what to reserve instead, in the order given; null where that is right, or where too little is known. O(n). */
export function withAdvice(all: readonly UsedResources[]): ResourceUse[] {
  const most = mostUsed(all);
  return all.map(({ definition, workstreamId, seconds, asked, cpuSeconds, used }) => {
    const known = most.get(definition);
    const advice = known === undefined ? null : advise(asked, known);
    return { workstreamId, seconds, asked, cpuSeconds, used, advice };
  });
}

/** The most that any workstream of a definition used, of those that tell enough. */
function mostUsed(all: readonly UsedResources[]): Map<string, Reservation> {
  const most = new Map<string, Reservation>();
  for (const { definition, isCompleted, seconds, used } of all) {
    if (!isCompleted || seconds === null || seconds < LEAST_SECONDS) continue;
    const before = most.get(definition) ?? { cpus: null, memoryMb: null };
    most.set(definition, {
      cpus: larger(before.cpus, used.cpus),
      memoryMb: larger(before.memoryMb, used.memoryMb),
    });
  }
  return most;
}

const larger = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? (a ?? b) : Math.max(a, b);

function advise(asked: Reservation, used: Reservation): string | null {
  const sentences = [cpuAdvice(asked.cpus, used.cpus), memoryAdvice(asked.memoryMb, used.memoryMb)];
  const told = sentences.filter((sentence) => sentence !== null);
  return told.length === 0 ? null : told.join('; ');
}

function cpuAdvice(asked: number | null, used: number | null): string | null {
  if (asked === null || used === null || Math.abs(asked - used) < NOTABLE.cpus) return null;
  const wanted = Math.max(1, Math.ceil(used - TOLERANCE));
  const isFar = asked > used ? asked >= wanted * 1.5 : wanted > asked;
  if (!isFar) return null;
  return `asked ${processors(asked)}, used ${Math.round(used * 10) / 10}: set "cpus": ${wanted}`;
}

function memoryAdvice(asked: number | null, used: number | null): string | null {
  if (asked === null || used === null || Math.abs(asked - used) < NOTABLE.memoryMb) return null;
  const wanted = Math.ceil((used * MEMORY_RESERVE) / MEMORY_STEP) * MEMORY_STEP;
  if (asked > used && asked < used * 2) return null;
  return `asked ${megabytes(asked)}, used ${megabytes(used)}: set "memory_mb": ${wanted}`;
}
