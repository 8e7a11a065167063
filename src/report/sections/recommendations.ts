import type { ConsolidatedResult } from '../../domain/run-record.ts';
import { type Block, heading, list, paragraph, prose } from '../nodes.ts';

/** What to do next, most important first. */
export function recommendations({ run }: ConsolidatedResult): Block[] {
  if (run.recommendations.length > 0) {
    return [
      heading(2, 'Recommendations'),
      list(
        true,
        run.recommendations.slice(0, 20).map((each) => prose(each)),
      ),
    ];
  }
  if (run.state !== 'running') return [];
  return [heading(2, 'Recommendations'), paragraph('They are made when the run has ended.')];
}
