/** What the package exports, by name. `test/exports.test.ts` holds the list. */
export { MultiAgentWorkstreamCoordinator } from './app/multi-agent-workstream-coordinator.ts';
export type { CoordinatorOptions } from './app/options.ts';
export { Refusal } from './app/refusal.ts';
export type { RunResult } from './app/run-document.ts';
export type {
  AgentResult,
  FinalStatus,
  ResultError,
  ResultMetadata,
  Status,
  TestSummary,
} from './domain/agent-result.ts';
export type { Capped } from './domain/capped.ts';
export { type Failure, failureSchema, type Reason } from './domain/failure.ts';
export { describeFailure } from './domain/failure-message.ts';
export type { ErrorPattern } from './domain/history/pattern.ts';
export type { Json, JsonObject } from './domain/json.ts';
export type { TestCase, TestCounts } from './domain/outcome.ts';
export { type Outcome, outcomeSchema, type StepResult, type TestResult } from './domain/outcome.ts';
export type { EventSink, RunEvent, RunListener } from './domain/run-event.ts';
export type {
  AgentPerformance,
  ConsolidatedResult,
  ExecutionSummary,
  FailedCase,
  RunDocument,
  RunDocumentHead,
  RunState,
  RunSummary,
  Speed,
  Totals,
} from './domain/run-record.ts';
export type { ModuleResult, ModuleStepFunction, StepContext } from './domain/step-context.ts';
export type { Step, Workstream } from './domain/workstream.ts';
export { stepSchema, type WorkstreamFile, workstreamFileSchema } from './domain/workstream-file.ts';
export { documentSchemas } from './report/document-schemas.ts';
export type { Decision } from './run/coordinator.ts';
export { ConsolidationDatabase } from './store/read/consolidation-database.ts';
export { StoreError } from './store/schema/store-error.ts';
