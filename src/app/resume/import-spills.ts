/** Imports results of earlier runs that the database refused at the time. */
import { openDatabase } from '../../store/schema/database.ts';
import { importCopy, importSpill, type SpillImport } from '../../store/spill/import-spill.ts';
import { findSpills, isCopy } from '../../store/spill/spill-places.ts';
import { plural } from '../../text/format.ts';

/** What a person should know of one of them. */
export interface SpillNotice {
  level: 'info' | 'warn';
  text: string;
}

/**
 * Imports what earlier runs had to keep beside the database, which is opened only where there is something.
 * @throws StoreError when the database still refuses; nothing is lost by that.
 */
export function importSpills(database: string): SpillNotice[] {
  const paths = findSpills(database);
  if (paths.length === 0) return [];
  const connection = openDatabase(database);
  try {
    return paths.flatMap((path) => {
      const taken = isCopy(path) ? importCopy(connection, path) : importSpill(connection, path);
      return noticeOf(taken) ?? [];
    });
  } finally {
    connection.close();
  }
}

function noticeOf(taken: SpillImport): SpillNotice | null {
  if (taken.kind === 'unusable')
    return { level: 'warn', text: `${taken.path} could not be taken in: ${taken.why}.` };
  if (taken.kind !== 'taken-in') return null;
  const { path, results, runIds, unusable, keptAs } = taken;
  if (keptAs === null && isCopy(path)) return { level: 'info', text: copiedSentence(taken) };
  const found = `${plural(results, 'result')} of ${runIds.join(', ')} that the database had not taken ${results === 1 ? 'was' : 'were'} in ${path} and ${results === 1 ? 'is' : 'are'} in it now.`;
  if (keptAs === null) return { level: 'info', text: found };
  if (isCopy(path)) {
    return { level: 'warn', text: `${path} could not be taken in: it is damaged, and kept as ${keptAs}.` };
  }
  const rest = `${plural(unusable, 'line')} of it ${unusable === 1 ? 'is' : 'are'} no result, or of a run that is not in the database; the file is kept as ${keptAs}.`;
  return {
    level: 'warn',
    text: results === 0 ? `${path} could not be taken in: ${rest}` : `${found} ${rest}`,
  };
}

/** Of a copy that a run made because its database had been removed or replaced. */
function copiedSentence({ path, runIds, results }: Extract<SpillImport, { kind: 'taken-in' }>): string {
  const runs =
    runIds.length === 0
      ? 'no run that was not there'
      : `${runIds.join(', ')} with ${plural(results, 'result')}`;
  return `A copy of the database that an earlier run had to make was in ${path}; the database took ${runs} from it.`;
}

/** One sentence for each file with results that the database does not have yet. */
export function spilledSentences(database: string): string[] {
  return findSpills(database).map(
    (path) =>
      `There are results in ${path} that the database does not have yet; the next millrace run takes them in.`,
  );
}
