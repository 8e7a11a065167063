/** Everything that the main thread and an agent say to each other about an execution. */
import { z } from 'zod';
import type { Assignment } from './assignment.ts';
import { answerSchema, outcomeSchema } from './outcome.ts';

/** What an agent is handed: an assignment, and the mark by which everything it starts can be found. */
export interface MarkedAssignment extends Assignment {
  /** A UUID; every process of the execution has it in its environment (`MILLRACE_EXECUTION`). */
  mark: string;
}

const executionId = z.number().int();

/** From an agent to the main thread. */
export const fromAgentSchema = z.discriminatedUnion('type', [
  /** A thread that has just been started begins its first execution: its time counts from here. */
  z.object({ type: z.literal('started'), executionId }),
  /** Live progress; `fraction` is 0 to 1, or null when unknown. */
  z.object({
    type: z.literal('progress'),
    executionId,
    fraction: z.number().min(0).max(1).nullable(),
    text: z.string(),
  }),
  /** One finished log line of the workstream's own logger (JSON, no line end). */
  z.object({ type: z.literal('log'), executionId, line: z.string() }),
  /** A child process was started as the leader of process group `pid`. */
  z.object({ type: z.literal('process-started'), executionId, pid: z.number().int().positive() }),
  z.object({ type: z.literal('process-ended'), executionId, pid: z.number().int().positive() }),
  /** A step with a limit of its own begins (`seconds` from now), or has ended (null). */
  z.object({
    type: z.literal('deadline'),
    executionId,
    step: z.string(),
    seconds: z.number().positive().nullable(),
  }),
  /** Something came after its execution had ended: a late rejection, a timer that threw. */
  z.object({ type: z.literal('late'), executionId, workstreamId: z.string(), text: z.string() }),
  /** The execution ended and its thread is not fit for another one. */
  z.object({ type: z.literal('retire'), executionId, why: z.string(), outcome: outcomeSchema }),
]);

/** What is left of the last message of an execution when the rest of it can't be used. */
export const lastWordSchema = z.object({ type: z.literal('retire'), executionId });
export type FromAgent = z.infer<typeof fromAgentSchema>;

/** From an agent that is a process: what any agent says, and its answer. */
export const fromProcessSchema = z.discriminatedUnion('type', [
  ...fromAgentSchema.options,
  answerSchema.extend({ type: z.literal('answer') }),
]);
export type FromProcess = z.infer<typeof fromProcessSchema>;

/** To an agent that is a process: the one assignment, then perhaps to stop. */
export type ToProcess = { type: 'start'; assignment: MarkedAssignment; logLevel: string } | ToAgent;

/**
 * From the main thread to the agents. Each agent acts on the execution it has in hand and ignores the rest. It comes
 * from our own code only, so there is no schema: without zod a thread starts 30 ms earlier and is 4 MB smaller.
 */
export interface ToAgent {
  type: 'cancel';
  executionId: number;
  /** Why: decides the failure's reason. */
  because: 'timed-out' | 'interrupted' | 'cancelled';
}

/** Set once when a thread starts. */
export interface AgentSettings {
  /** Name of the BroadcastChannel on which `ToAgent` messages arrive. */
  channel: string;
  /** pino level of `context.log`. */
  logLevel: string;
  /** Heap limit in MB, for the message when it is used up; null for Node's default. */
  memoryMb: number | null;
}
