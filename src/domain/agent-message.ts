/** All messages between the main thread and an agent about an execution. */
import { z } from 'zod';
import type { BatchItem } from './batch/batch-text.ts';
import type { StopCause } from './engine.ts';
import { answerSchema, outcomeSchema } from './outcome.ts';

/** A value that must not be seen: what is put in its place names where it comes from. */
export interface Secret {
  /** Of the environment variable. */
  name: string;
  /** One line of at least 8 characters. */
  value: string;
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
  /** The tool of a tool step has named the session that it works in. */
  z.object({
    type: z.literal('session'),
    executionId,
    stepId: z.string(),
    tool: z.string(),
    sessionId: z.string(),
  }),
  /** A child process was started as the leader of process group `pid`; `startedAt` is null where that is not told. */
  z.object({
    type: z.literal('process-started'),
    executionId,
    pid: z.number().int().positive(),
    startedAt: z.string().nullable(),
  }),
  z.object({ type: z.literal('process-ended'), executionId, pid: z.number().int().positive() }),
  /** A command that the command host had started has ended, and used this with what it had waited for. */
  z.object({
    type: z.literal('process-usage'),
    executionId,
    pid: z.number().int().positive(),
    cpuSeconds: z.number().nonnegative(),
    /** The most that one of its processes held. */
    peakMemoryMb: z.number().nonnegative(),
  }),
  /** Its thread, as `PID/task/TID`, waits for child processes that it can't name before they have ended. */
  z.object({ type: z.literal('waits'), executionId, thread: z.string().regex(/^\d+\/task\/\d+$/) }),
  /** It was told to stop, and ends what it started itself. */
  z.object({ type: z.literal('stopping'), executionId }),
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
  /** The answer to an assignment that was not the last of its batch, or of an agent that is a process. */
  answerSchema.extend({ type: z.literal('answer') }),
]);

/** What is left of the last message of an execution when the rest of it can't be used. */
export const lastWordSchema = z.object({ type: z.literal('retire'), executionId });
export type FromAgent = z.infer<typeof fromAgentSchema>;

/** To an agent that is a process: the one assignment, then perhaps to stop. */
export type ToProcess =
  | {
      type: 'start';
      key: string;
      item: BatchItem;
      logLevel: string;
      cacheFolder: string;
      secrets: readonly Secret[];
    }
  | Cancellation;

/**
 * From the main thread to an agent, which acts on its active execution and ignores the rest: to a thread through the memory
 * of its batch, to a process as a message. It comes from our own code only, so there is no schema: without zod a thread
 * starts 30 ms earlier and is 4 MB smaller.
 */
export interface Cancellation {
  type: 'cancel';
  executionId: number;
  because: StopCause;
}

/**
 * A message as it travels. Code of a workstream can post whatever it likes on the same way, so a message is an agent's
 * only if it carries the key that the engine gave to its agents, and that no code of a workstream gets to see.
 */
export interface Signed {
  key: string;
  message: FromAgent;
}

/** What is in it; undefined for what no agent of the engine with this key has sent. */
export function opened(signed: unknown, key: string): unknown {
  if (typeof signed !== 'object' || signed === null || !('key' in signed && 'message' in signed))
    return undefined;
  return signed.key === key ? signed.message : undefined;
}

/** What a thread is told when it starts. */
export interface AgentSettings {
  /** Goes with every message of the thread. */
  key: string;
  /** Memory of the `Bell` that is rung when an execution of any thread is to stop. */
  bell: Int32Array<SharedArrayBuffer>;
  /** pino level of `context.log`. */
  logLevel: string;
  /** Heap limit in MB, for the message when it is used up; null for Node's default. */
  memoryMb: number | null;
  /** Folder for compiled TypeScript. */
  cacheFolder: string;
  /** Path of the socket at which the command host listens, or soon will; null where there is none. */
  commandHost: string | null;
  /** What must not leave the agent. */
  secrets: readonly Secret[];
}
