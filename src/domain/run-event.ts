/**
 * What happens in a run, as a stream of events. The recorder takes each event first; log lines (`progress/logs.ts`), the
 * live view (`progress/board.ts`) and the library's listeners are made from it once it is on the disk.
 *
 * Events are JSON, so that they can cross a process or a network. A stream begins with `run-started`, which has the
 * version of all that follow. A field may be added within a version; one that changes its meaning, or goes, needs the next.
 */
import { z } from 'zod';
import { agentResultSchema } from './agent-result.ts';
import { workstreamSchema } from './assignment.ts';
import { mergeSchema } from './changes.ts';
import { reasonSchema } from './failure.ts';
import { checkoutSchema } from './history/history.ts';
import { keptCandidateSchema, keptSessionSchema } from './kept-work.ts';
import { reviewRecordSchema } from './policy/review.ts';
import type { Totals } from './run-record.ts';
import type { AgentsChange } from './scaling.ts';

const text = z.string();
const count = z.number().int().nonnegative();
const seconds = z.number().nonnegative();
/** ISO 8601 in UTC. */
const time = z.iso.datetime();

/** The results that a resumed run has already. */
const resumedRunSchema = z.object({
  /** Results that are kept. */
  counts: z.object({ completed: count, failed: count, skipped: count }),
  /** Workstreams whose results are dropped, because they are run again. */
  discarded: z.array(text).readonly(),
  /** Whether a process of the run died by itself, and this one continues at once. */
  afterDeath: z.boolean(),
  /** Results that it had when it was resumed. */
  results: count,
  /** Workstreams that were running when the process before died. */
  running: count,
});
export type ResumedRun = z.infer<typeof resumedRunSchema>;

const runWaitSchema = z.object({
  /** The first workstream that needs it. */
  workstreamId: text,
  /** The run that holds it. */
  runId: text,
  /** A clause that says which workstream waits for which run, and why. */
  explanation: text,
});
/** What another run holds. */
export type RunWait = z.infer<typeof runWaitSchema>;

const agentsChangeSchema: z.ZodType<AgentsChange> = z.object({
  at: time,
  from: count.nullable(),
  to: count,
  reason: z.enum(['start', 'waiting', 'cpu-bound', 'crowded', 'memory']),
  explanation: text,
});

const totalsSchema: z.ZodType<Totals> = z.object({
  workstreams: count,
  completed: count,
  failed: count,
  skipped: count,
  takenOver: count,
  savedSeconds: seconds,
  filesModified: count,
  commits: count,
  errors: count,
  warnings: count,
});

export const runEventSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('run-started'),
    version: z.literal(1),
    runId: text,
    at: time,
    agents: z.array(text),
    /** Number of all workstreams of the run, invalid ones too. */
    total: count,
    /** Those that are to be run. */
    workstreams: z.array(workstreamSchema).readonly(),
    /** Of a run that is resumed; null for a new one. */
    resumed: resumedRunSchema.nullable(),
    /** Expected seconds of all work together, from history; null without any. */
    expectedSeconds: seconds.nullable(),
  }),
  /** What was checked out when the run began; git may take a moment to say so. Not of a run that is resumed. */
  z.object({ type: z.literal('checkout-read'), checkout: checkoutSchema }),
  /**
   * All that it depends on is there, or it was re-queued. What depends on nothing is ready from the start, without an
   * event.
   */
  z.object({ type: z.literal('workstream-ready'), workstreamId: text }),
  z.object({
    type: z.literal('workstream-started'),
    workstreamId: text,
    title: text,
    agentId: text,
    /** Counted from 1. */
    attempt: count,
    /** Whether it waits behind another workstream of its agent for a moment. */
    queued: z.boolean(),
    at: time,
    /** Expected seconds from history; null without any. */
    expectedSeconds: seconds.nullable(),
  }),
  /**
   * One that was queued is being executed, and takes longer than a moment. The result of each other one follows soon, or
   * it is re-queued.
   */
  z.object({
    type: z.literal('workstream-begun'),
    workstreamId: text,
    title: text,
    agentId: text,
    attempt: count,
    at: time,
    expectedSeconds: seconds.nullable(),
  }),
  /** An attempt failed and another one follows. */
  z.object({
    type: z.literal('workstream-retrying'),
    workstreamId: text,
    agentId: text,
    /** The attempt that failed. */
    attempt: count,
    reason: reasonSchema,
    explanation: text,
    /** Pause before the next attempt in seconds. */
    afterSeconds: seconds,
  }),
  z.object({
    type: z.literal('workstream-progress'),
    workstreamId: text,
    agentId: text,
    /** 0 to 1; null when unknown. */
    fraction: z.number().nullable(),
    text,
  }),
  z.object({
    type: z.literal('workstream-log'),
    workstreamId: text,
    agentId: text,
    /** One pino line, JSON without a line end. */
    line: text,
  }),
  /** The tool of a tool step has named its session, with which a run that is resumed may go on. */
  z.object({ type: z.literal('session-began'), workstreamId: text, session: keptSessionSchema }),
  /** One of several tools that were given the same workstream has ended. It is not run again where the run is resumed. */
  z.object({
    type: z.literal('candidate-ended'),
    workstreamId: text,
    /** Of the definition that it was given. */
    definitionHash: text,
    candidate: keptCandidateSchema,
  }),
  /** The work of a candidate that was the best so far was reviewed, with a verdict. */
  z.object({ type: z.literal('candidate-reviewed'), workstreamId: text, review: reviewRecordSchema }),
  z.object({ type: z.literal('workstream-finished'), result: agentResultSchema }),
  /**
   * Its result is withdrawn: a person asked for another attempt at it, or at what it was skipped for. What it said is
   * kept as an attempt. It is blocked until `workstream-ready` follows.
   */
  z.object({
    type: z.literal('workstream-reopened'),
    workstreamId: text,
    at: time,
    /** Who asked. */
    by: text,
    /** What its result was. */
    status: z.enum(['failed', 'skipped']),
    /** The workstream that is tried again, where this one was skipped for it; null for that one itself. */
    follows: text.nullable(),
  }),
  /** What became of the work of a workstream whose result said that its merge was pending. May come more than once. */
  z.object({ type: z.literal('workstream-merged'), workstreamId: text, merge: mergeSchema }),
  z.object({ type: z.literal('agent-replaced'), agentId: text, why: text }),
  /** The number of agents follows the load and has changed; the first of these events says that at the start. */
  z.object({
    type: z.literal('agents-scaled'),
    change: agentsChangeSchema,
    /** Names of the agents that take work from now on. */
    agents: z.array(text),
  }),
  /** Other runs hold what workstreams of this one need. */
  z.object({
    type: z.literal('waiting-for-runs'),
    /** All that this run waits for from now on; empty for nothing. */
    waits: z.array(runWaitSchema),
    /** The one that is new; null where it waits for less than before. */
    added: runWaitSchema.nullable(),
  }),
  /** A tool met a usage limit that passes: none of its account is started before `until`. */
  z.object({
    type: z.literal('tool-parked'),
    at: time,
    /** The account of the tool: its name, unless the configuration says otherwise. */
    tool: text,
    class: z.enum(['rate', 'window']),
    /** What the tool said. */
    why: text,
    until: time,
    /** Whether the tool gave the time as a number or in words, or said none. */
    source: z.enum(['exact', 'words', 'guess']),
    /** How often it was started again after a limit since it last worked. */
    resumptions: count,
    /** The run that met the limit, where it was an earlier one or another; null for this one. */
    parkedBy: text.nullable(),
  }),
  /** A tool that was parked works again. */
  z.object({ type: z.literal('tool-resumed'), at: time, tool: text }),
  z.object({ type: z.literal('interrupting'), signal: text, running: count }),
  z.object({
    type: z.literal('notice'),
    level: z.enum(['info', 'warn', 'error']),
    text,
    workstreamId: text.nullable(),
  }),
  z.object({
    type: z.literal('run-ended'),
    runId: text,
    at: time,
    exitCode: count,
    totals: totalsSchema,
    /** Absolute path of the Markdown report; null when it could not be written. */
    report: text.nullable(),
    /** The same of the HTML page; null also when none was wanted. */
    page: text.nullable(),
    /** Absolute path of the database. */
    database: text,
  }),
]);
export type RunEvent = z.infer<typeof runEventSchema>;

/** The event of one type. */
export type EventOf<Type extends RunEvent['type']> = Extract<RunEvent, { type: Type }>;

/** Receives events one by one. Must not throw and must not wait. */
export type RunListener = (event: RunEvent) => void;

/** Receives events in lists, in their order, which is cheaper where there are many. Must not throw and must not wait. */
export interface EventSink {
  take(events: readonly RunEvent[]): void;
}
