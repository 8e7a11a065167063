/** The entry of a worker thread. */
import type { AssignmentBatch } from '../src/domain/batch/batch-text.ts';
import type { Answer } from '../src/domain/outcome.ts';
import { Bundles } from '../src/os/code-cache.ts';
import type * as ThreadAgent from './thread-agent.ts';

const bundles = new Bundles('thread');
const file = new URL('./agents.bundle.cjs', import.meta.url);
const agent: typeof ThreadAgent = bundles.load(file, 'workers/thread-agent.ts');
let isFirst = true;

/** Called by the pool for each batch. */
export default function executeBatch(batch: AssignmentBatch): Promise<Answer | null> {
  const answer = agent.default(batch);
  if (!isFirst) return answer;
  isFirst = false;
  // A thread does not know when it is ended.
  return answer.finally(() => bundles.keepCode());
}
