import { ResultsTableBuilder } from '../../src/analysis/results-table.ts';
import type { ResultsTable, WorkstreamOutput } from '../../src/domain/run-record.ts';

/** The table of outputs, as it is read of a run that has them. */
export function resultsOf(outputs: readonly WorkstreamOutput[]): ResultsTable {
  const builder = new ResultsTableBuilder({ columns: 40, cell: 200 });
  for (const { workstreamId, status, reason, output, metrics } of outputs.filter(
    ({ tool }) => tool === null,
  )) {
    const row = { workstreamId, base: workstreamId, status, reason, seconds: 1 };
    builder.add({ ...row, file: 'workstreams/all.json', position: 0, matrix: null, output, metrics });
  }
  return builder.table();
}
