/**
 * What coordinator and hosts tell each other through Redis: the names of keys, and the schema of everything that
 * crosses. Both sides check what they read. A change that the other side does not understand raises `PROTOCOL`.
 *
 * - An assignment, or a batch of tiny ones, is a BullMQ job: its id is `jobId`, its data `JobData`, its queue that of its requirements.
 * - A host answers with a `Receipt`, sealed and in base64, as the job's return value. What it sent before is in the
 *   run's stream of messages.
 * - A job that fails was not executed: what can be said of it is its failed reason, which is not sealed.
 */
import { z } from 'zod';
import { type Assignment, assignmentSchema } from '../../domain/assignment.ts';
import type { EngineMessage } from '../../domain/engine.ts';
import { outcomeSchema } from '../../domain/outcome.ts';
import type { SealContext } from './sealing.ts';

/** In the names of all queues and keys: hosts of another number never see this one's jobs. */
export const PROTOCOL = 1;

/** Of the keys of BullMQ; an ACL user needs no other keys than `millrace:*`, and no other channels. */
export const QUEUE_PREFIX = 'millrace';
const PREFIX = `${QUEUE_PREFIX}:v${PROTOCOL}`;

/** A label of `requires` and `--provides`. */
export const LABEL = /^[a-z0-9][a-z0-9._-]{0,49}$/;

/** The name of the queue for what requires these labels. */
export const queueName = (requires: readonly string[]): string =>
  [`v${PROTOCOL}`, ...[...new Set(requires)].toSorted()].join('+');

/** The labels that a queue of this name is for. */
export const labelsOf = (queue: string): string[] => queue.split('+').slice(1);

/** Whether a host that provides these labels serves a queue. */
export const serves = (provides: readonly string[], queue: string): boolean =>
  labelsOf(queue).every((label) => provides.includes(label));

/** Keys that are not BullMQ's own. */
export const KEYS = {
  /** Set: names of the queues that a run has used. */
  queues: `${PREFIX}:queues`,
  /**
   * Text, with a time to live of `HOST_TTL_MS`: what a host says of itself, `HostState` as JSON, sealed and in base64.
   */
  host: (name: string): string => `${PREFIX}:host:${name}`,
  /** Sorted set, with one member when a host is to look for new queues: it waits for it as it waits for jobs. */
  wake: (host: string): string => `${PREFIX}:wake:${host}`,
  /** What a SCAN for hosts matches, those of other protocols too. */
  allHosts: `${QUEUE_PREFIX}:v*:host:*`,
  /**
   * Stream of a run, in the order in which things happened: entries of the field `batch`, a `RemoteMessage[]` as JSON,
   * sealed and in base64; and entries of the field `answered`, a job id: its host has completed
   * it. The coordinator removes what it has read.
   */
  messages: (nonce: string): string => `${PREFIX}:run:${nonce}:messages`,
  /**
   * Hash of a run: by job id why it is to be stopped, a `CancelReason` or what `stopOfMembers` says, sealed and in
   * base64. Read at each renewal.
   */
  cancels: (nonce: string): string => `${PREFIX}:run:${nonce}:cancels`,
  /**
   * Hash of a run, by job id: the queue that it is in. The coordinator's own, of what is not acknowledged. Without a time
   * to live: jobs have none, and are found by it.
   */
  jobs: (nonce: string): string => `${PREFIX}:run:${nonce}:jobs`,
  /** Sorted set: nonces of runs, by when their coordinator was last there (milliseconds since 1970, Redis's clock). */
  runs: `${PREFIX}:runs`,
} as const;

/** What each thing is sealed for: it opens in its place only. */
export const SEALED_FOR = {
  assignment: (job: string): SealContext => ({ job, direction: 'to-host' }),
  cancel: (job: string): SealContext => ({ job: `${job}/cancel`, direction: 'to-host' }),
  receipt: (job: string): SealContext => ({ job, direction: 'to-run' }),
  messages: (nonce: string): SealContext => ({ job: `${nonce}/messages`, direction: 'to-run' }),
  heartbeat: (host: string): SealContext => ({ job: `host/${host}`, direction: 'to-run' }),
} as const;

/** Channel on which a job id is published when `cancels` has got an entry for it: a hint. */
export const CANCEL_CHANNEL = `${PREFIX}:cancel`;
/** Channel on which the name of a host is published when it comes, takes nothing more, or goes: a hint. */
export const HOST_CHANNEL = `${PREFIX}:hosts`;
/** Channel on which the name of a queue is published when a run first uses it: a hint. */
export const QUEUE_CHANNEL = `${PREFIX}:queues`;

export const HOST_BEAT_MS = 5_000;
export const HOST_TTL_MS = 20_000;
/** How long what belongs to a run stays without its coordinator, in seconds. */
export const RUN_TTL_SECONDS = 7 * 24 * 3600;
/** How long a host has a job without renewing its lease, unless its own options say otherwise. */
export const DEFAULT_LEASE_MS = 60_000;

/** 16 hexadecimal digits from the random number generator: ids of different runs never meet. */
const nonceSchema = z.string().regex(/^n[0-9a-f]{16}$/);

/**
 * The id of a job. Equal ids mean the same work of the same run.
 * @param logName of its log file, without `.log`: distinct for each attempt, compensation and candidate.
 * @param digest in hexadecimal, of everything that the outcome depends on.
 */
export const jobId = (nonce: string, logName: string, digest: string): string =>
  `${nonce}.${logName}.${digest.slice(0, 32)}`;

/** The nonce of the run that a job belongs to. */
export const nonceOf = (job: string): string => job.slice(0, Math.max(0, job.indexOf('.')));

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.number().int().nonnegative();
const time = z.number().int().nonnegative();

/** Ids of the chunks of a body (`bodies.ts`), in their order. Its owner is in `OWNERS`. */
const body = z.array(sha256);

/** Where the project's files come from. */
export const sourceSchema = z.discriminatedUnion('kind', [
  /** A snapshot, by the SHA-256 of its archive before it was compressed. */
  z.strictObject({ kind: z.literal('snapshot'), sha256, bytes: count, body }),
  z.strictObject({
    kind: z.literal('git'),
    url: z.string().min(1),
    commit: z.string().regex(/^[0-9a-f]{40,64}$/),
  }),
  /** The same absolute folder on every host. */
  z.strictObject({ kind: z.literal('shared'), folder: z.string().min(1) }),
]);
export type ProjectSource = z.infer<typeof sourceSchema>;

/** What is sealed in a job. */
export const remoteAssignmentSchema = z.strictObject({
  protocol: z.literal(PROTOCOL),
  job: z.string(),
  nonce: nonceSchema,
  /**
   * Its paths in the project's folder are relative to it (`portableAssignment`), the others absolute. `executionId` and
   * `agentId` are the host's to set.
   */
  assignment: assignmentSchema,
  /**
   * Tiny ones that the same agent executes after it, as `Engine.executeBatch` does. Such a job is executed with its first
   * lease only: with a later one it is refused, so that its run gives each of them a job of its own.
   */
  others: z.array(assignmentSchema).optional(),
  /** How many hosts were lost with it before it had this job. */
  lost: count.optional(),
  source: sourceSchema,
  /** A shell line that prepares the files of the source once; null for none. */
  setup: z.string().nullable(),
  /** Whether the host has to stop it before its lease ends, so that nothing else runs beside it. */
  strictLease: z.boolean(),
  /** Names and globs of environment variables, as `redact` of the configuration has them. */
  redact: z.strictObject({ names: z.array(z.string()), keep: z.array(z.string()) }),
  logLevel: z.string(),
  /** By Redis's clock, in milliseconds since 1970: a job that is read later is refused. */
  expiresAt: time,
});
export type RemoteAssignment = z.infer<typeof remoteAssignmentSchema>;

/** A job's data. */
export const jobDataSchema = z.strictObject({
  /** Sealed for the job, in base64; absent where it is in a body. */
  sealed: z.string().optional(),
  /** The body that the assignment is in, for what has `BODY_BYTES` or more. */
  body: body.optional(),
});
export type JobData = z.infer<typeof jobDataSchema>;

/** A file that returns. */
const returnedFileSchema = z.strictObject({
  /** Of outputs: relative to the project. Of logs: relative to the folder of the log file. With `/` between its parts. */
  path: z.string().min(1),
  bytes: count,
  /** Whether its owner may execute it. */
  executable: z.boolean(),
  body,
});
export type ReturnedFile = z.infer<typeof returnedFileSchema>;

/** What is sealed in a job's return value. */
export const receiptSchema = z.strictObject({
  protocol: z.literal(PROTOCOL),
  job: z.string(),
  /** Of the lease with which the job was completed. */
  token: z.string(),
  host: z.string(),
  /** Name of the agent on its host, such as `agent-2`. */
  agent: z.string(),
  /** Id of the last entry in the stream of messages that has something of this execution; null for none. */
  lastMessageId: z.string().nullable(),
  /**
   * The `Outcome` as JSON, or the body that it is in; of a batch a list with null for each that was not begun. Paths of
   * logs in it are relative, as those of `logs`.
   */
  outcome: z.union([z.strictObject({ inline: z.string() }), z.strictObject({ body })]),
  /** Files of its declared outputs. */
  files: z.array(returnedFileSchema),
  /** Its log, those of its tests and what its tools left, redacted, and cut where they were too long. */
  logs: z.array(returnedFileSchema),
});
export type Receipt = z.infer<typeof receiptSchema>;

const execution = {
  job: z.string(),
  /** Of the lease. */
  token: z.string(),
  /** Of a batch: the position of its assignment. */
  member: count.optional(),
};

const remoteMessageSchema = z.discriminatedUnion('type', [
  z.strictObject({
    ...execution,
    type: z.literal('began'),
    host: z.string(),
    agent: z.string(),
    /** Milliseconds since 1970, by the host's clock. */
    at: z.number(),
    /** How often the job has been leased: of two, the greater number counts. */
    lease: count,
  }),
  z.strictObject({
    ...execution,
    type: z.literal('progress'),
    fraction: z.number().min(0).max(1).nullable(),
    text: z.string(),
  }),
  z.strictObject({ ...execution, type: z.literal('log'), line: z.string() }),
  z.strictObject({ ...execution, type: z.literal('replaced'), why: z.string() }),
  /** Of a batch: what another agent may begin, while something before it is still executed. */
  z.strictObject({ ...execution, type: z.literal('returned'), members: z.array(count) }),
  /** A sentence for a person, as of code that did something after its workstream had ended. */
  z.strictObject({ ...execution, type: z.literal('notice'), text: z.string() }),
]);
export type RemoteMessage = z.infer<typeof remoteMessageSchema>;
export const remoteMessagesSchema = z.array(remoteMessageSchema);

/** What an execution tells on its way. */
export type ExecutionReport = Extract<EngineMessage, { type: 'progress' | 'log' | 'replaced' }>;

/** The fields of a report, without whatever else the message has that carries it. */
export function reportOf(message: ExecutionReport): ExecutionReport {
  switch (message.type) {
    case 'progress':
      return { type: 'progress', fraction: message.fraction, text: message.text };
    case 'log':
      return { type: 'log', line: message.line };
    case 'replaced':
      return { type: 'replaced', why: message.why };
  }
}

/** The outcome in a receipt. */
export const remoteOutcomeSchema = outcomeSchema;
/** The outcomes in the receipt of a batch. */
export const batchOutcomesSchema = z.array(outcomeSchema.nullable());

/** All that a job is to execute, in order. */
export const assignmentsOf = ({ assignment, others = [] }: RemoteAssignment): Assignment[] => [
  assignment,
  ...others,
];

/** Which members of a batch are to be stopped, as the reason of a cancellation; `stoppedMembers` reads it. */
export const stopOfMembers = (members: Iterable<number>): string => `members ${[...members].join(' ')}`;

/** Null for a reason that concerns the whole job. */
export function stoppedMembers(because: string): number[] | null {
  const [word, ...members] = because.split(' ');
  return word === 'members' ? members.map(Number) : null;
}

/** What a host says of itself. */
export const hostStateSchema = z.object({
  host: z.string().regex(/^[\w.-]{1,100}$/),
  /** Version of Millrace. */
  version: z.string(),
  protocol: count,
  provides: z.array(z.string()),
  slots: z.number().int().positive(),
  /** What it has in hand: for how long is measured by its own clock. */
  inHand: z.array(
    z.object({
      job: z.string(),
      /** Of a batch that of the first. */
      workstreamId: z.string(),
      agent: z.string(),
      since: z.number(),
      lease: count,
    }),
  ),
  leaseMs: z.number().positive(),
  /** Whether it takes nothing more. */
  draining: z.boolean(),
  startedAt: time,
  /** How far its clock is ahead of Redis's, in milliseconds. */
  clockMs: z.number(),
  pid: count,
  node: z.string(),
  platform: z.string(),
});
export type HostState = z.infer<typeof hostStateSchema>;

/** A job that failed in BullMQ's own words was lost with its hosts; in any other it was refused. */
export const STALLED = /stalled more than/;
/** How often a job may lose its host; then it fails. */
export const MOST_STALLED = 2;
/** Why a job is refused that has lost too many. */
export const HOSTS_LOST = 'job stalled more than allowable limit';
