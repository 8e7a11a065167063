/** `execution_summary`: JSON with snake_case keys, because people query it by hand. */
import { z } from 'zod';
import type { ExecutionSummary } from '../../domain/run-record.ts';
import { jsonCell } from '../schema/cells.ts';

const share = z.number().nullable();
const seconds = z.number();

const agent = z.object({
  agentId: z.string(),
  workstreams: z.number(),
  completed: z.number(),
  failed: z.number(),
  successRate: share,
  busySeconds: seconds,
  idleSeconds: seconds,
  cpuSeconds: seconds.nullable(),
  utilisation: share,
  averageSeconds: seconds.nullable(),
  medianSeconds: seconds.nullable(),
  p95Seconds: seconds.nullable(),
  perHour: z.number().nullable(),
});

const speed = z.object({
  wallSeconds: seconds,
  busySeconds: seconds,
  oneAgentSeconds: seconds,
  // Older versions did not store it.
  overheadSeconds: seconds.nullable().default(null),
  criticalPathSeconds: seconds,
  criticalPath: z.array(z.string()),
  reservedSeconds: seconds.nullable().default(null),
  speedup: z.number().nullable(),
  limitSeconds: seconds,
  efficiency: share,
});

const summary: z.ZodType<ExecutionSummary> = z.object({
  version: z.literal(1),
  millrace: z.string(),
  node: z.string(),
  platform: z.string(),
  cores: z.number(),
  agentsCount: z.number(),
  // Summaries of earlier versions don't have it.
  scaling: z
    .object({
      start: z.number(),
      final: z.number(),
      least: z.number(),
      most: z.number(),
      changes: z.number(),
    })
    .nullable()
    .catch(null),
  distribution: z.enum(['dynamic', 'round-robin']),
  exitCode: z.number(),
  interruptedBy: z.string().nullable(),
  // Nor these.
  waitsForLimit: z.object({ tool: z.string(), until: z.string() }).nullable().catch(null),
  sessions: z.number().catch(1),
  waitedForRuns: z
    .object({ seconds, runIds: z.array(z.string()) })
    .nullable()
    .catch(null),
  resources: z.object({ cpus: z.number(), memoryMb: z.number() }).nullable().catch(null),
  speed,
  agents: z.array(agent),
  tests: z.object({ total: z.number(), passed: z.number(), failed: z.number(), manual: z.number() }),
  overhead: z.object({ storeSeconds: seconds, consolidateSeconds: seconds }),
});

const stored = z
  .unknown()
  .transform((value) => renameKeys(value, camelCase))
  .pipe(summary)
  .nullable()
  .catch(null);

/** The summary as the text of its cell. */
export function writeSummary(value: ExecutionSummary): string {
  return JSON.stringify(renameKeys(value, snakeCase));
}

/** The summary in a cell; null for none and for one that an older system made. */
export function readSummary(cell: string | null): ExecutionSummary | null {
  return jsonCell(stored, cell);
}

const snakeCase = (key: string): string => key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const camelCase = (key: string): string =>
  key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

function renameKeys(value: unknown, rename: (key: string) => string): unknown {
  if (Array.isArray(value)) return value.map((element) => renameKeys(element, rename));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [rename(key), renameKeys(inner, rename)]),
  );
}
