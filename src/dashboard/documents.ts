/** The document of a run as its page takes it, made piece by piece, so that others are answered meanwhile. */
import { storedDocument } from '../app/run-document.ts';
import type { HeadEvent } from '../domain/dashboard/answers.ts';
import { type LogAddress, limitsFor, pageDocument, pageHead } from '../report/page-document.ts';
import type { Connection } from '../store/schema/connection.ts';
import { inSlices } from './slices.ts';

/** Most characters of a document, however much its run has to tell. */
const MOST_CHARACTERS = 24_000_000;

/** How a document shrinks that is too large, as that of a file does. Less than the least share is nothing. */
const STEP = 1 / 4;
const LEAST_SHARE = 1e-5;

/** Pieces that are put together: many small ones take more memory. */
const JOINED = 50;

/** The addresses of logs, in what the dashboard answers. */
export const logAddress: LogAddress = ({ runId, workstreamId }) =>
  `/api/runs/${encodeURIComponent(runId)}/logs/${encodeURIComponent(workstreamId)}`;

/** JSON of the run's `PackedDocument` in pieces; null where there is no run of this id. */
export async function documentPieces(
  connection: Connection,
  runId: string,
  database: string,
): Promise<string[] | null> {
  const source = storedDocument(connection, runId, database);
  if (source === null) return null;
  for (let share = 1; ; share *= STEP) {
    const most = share < LEAST_SHARE ? Number.POSITIVE_INFINITY : MOST_CHARACTERS;
    const pieces = await inSlices(gathered(pageDocument(source, logAddress, limitsFor(share)), most));
    if (pieces !== null) return pieces;
  }
}

/** Null where there are more than `most` characters. @yields after each piece. */
function* gathered(pieces: Iterable<string>, most: number): Generator<void, string[] | null> {
  const blocks: string[] = [];
  const block: string[] = [];
  let characters = 0;
  for (const piece of pieces) {
    block.push(piece);
    characters += piece.length;
    if (characters > most) return null;
    if (block.length === JOINED) blocks.push(block.splice(0).join(''));
    yield;
  }
  return [...blocks, block.join('')];
}

/** The document but for its workstreams, of which the client has `shown`; null where there is no run of this id. */
export function headOf(
  connection: Connection,
  runId: string,
  { database, shown }: { database: string; shown: number },
): HeadEvent | null {
  const source = storedDocument(connection, runId, database);
  return source === null ? null : pageHead(source.head, { limits: limitsFor(1), shown, aggregates: null });
}
