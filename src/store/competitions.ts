/** Reads what several tools made of one workstream. */
import { z } from 'zod';
import { candidateSchema } from '../domain/candidate.ts';
import type { Capped } from '../domain/capped.ts';
import type { Competition } from '../domain/tool-record.ts';
import type { Connection } from './connection.ts';
import { jsonCell, listOf } from './json-cell.ts';
import { rows } from './read.ts';

const candidateList = listOf(candidateSchema);
const row = z.object({ workstream_id: z.string(), candidates: z.string(), total: z.number() });

const COMPETITIONS = `
SELECT workstream_id, json_extract(metadata, '$.candidates') AS candidates, COUNT(*) OVER () AS total
FROM agent_results WHERE run_id = ? AND tool IS NOT NULL AND json_array_length(metadata, '$.candidates') > 0
ORDER BY id LIMIT ?`;

/** In the order in which their results arrived. */
export function competitions(connection: Connection, runId: string, limit: number): Capped<Competition> {
  const found = rows(connection, row, COMPETITIONS, runId, limit);
  return {
    shown: found.map(({ workstream_id: workstreamId, candidates }) => ({
      workstreamId,
      candidates: jsonCell(candidateList, candidates),
    })),
    total: found[0]?.total ?? 0,
  };
}
