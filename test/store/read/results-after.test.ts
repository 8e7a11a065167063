/** The newer results of one run among those of others. */
import { expect, test } from 'vitest';
import { resultsAfter } from '../../../src/store/read/page-results.ts';
import { opened, RUN, record, result, rowsOf } from '../../kit/recorded-run.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

test('of a run are the same, however many results others have stored since', () => {
  const connection = opened(temporaryFolder());
  record(connection, [result('ws-b'), result('ws-a'), result('ws-c')], { runId: RUN });
  const newer = () => {
    const { results, ...rest } = resultsAfter(connection, RUN, { after: 1, limit: 1 });
    return { results: [...results], ...rest };
  };
  const few = newer();
  const others = Array.from({ length: 10_001 }, (_, index) => result(`ws-${index}`));
  record(connection, others, { runId: 'ma-run-20260103-000001' });
  expect(few).toMatchObject({ count: 1, lastRow: 2 });
  expect(newer()).toEqual(few);
  expect(resultsAfter(connection, RUN, { after: 0, limit: 10 }).count).toBe(3);
  expect(rowsOf(connection, 'SELECT id FROM agent_results')).toHaveLength(10_004);
});
