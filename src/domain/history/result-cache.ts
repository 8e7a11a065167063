/** What a run needs of whatever keeps results for later runs. */
import type { AgentResult, CacheUse } from '../agent-result.ts';
import type { Json } from '../json.ts';
import type { ToolSettings } from '../tool.ts';
import type { Workstream } from '../workstream.ts';

/** What decides, beside files and variables, whether an earlier result of a workstream may be taken over. */
export interface CacheQuestion {
  workstream: Workstream;
  /** `output` of each workstream it depends on, by id. */
  dependencies: Record<string, Json>;
  /** How its tools are called, by the names that its steps use. */
  tools: Record<string, ToolSettings>;
}

/** A result that was kept, and is as if it had been computed now. */
export interface ReusableResult {
  /** As it was stored by the run that computed it. */
  result: AgentResult;
  /** Those of its files that had to be put in place, relative to the project. */
  restored: string[];
}

/**
 * Results of workstreams that have a `cache`. None of its methods rejects or throws: what can't be decided is executed,
 * and what can't be kept is computed again the next time.
 */
export interface ResultCache {
  /** The result to take over, with its files in place; null where the workstream has to be executed. */
  takeOver(question: CacheQuestion): Promise<ReusableResult | null>;
  /** Keeps a result, if it is one to keep, of the workstream that was asked about before it was executed. */
  keep(result: AgentResult): Promise<CacheUse>;
  /** To be called whenever something was executed, which may have changed any file. */
  forget(): void;
  /** Resolves when nothing is left to write. */
  close(): Promise<void>;
}
