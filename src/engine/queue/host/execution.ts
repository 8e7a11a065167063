/**
 * One leased job from its sealed assignment to its sealed receipt. Nothing is executed that was not sealed for this very
 * job, has expired, or was answered by this host before.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Assignment } from '../../../domain/assignment.ts';
import type { CancelReason } from '../../../domain/engine.ts';
import { failureSchema } from '../../../domain/failure.ts';
import { failedOutcome, type Outcome } from '../../../domain/outcome.ts';
import { measured, startTimer } from '../../../os/stopwatch.ts';
import { messageOf } from '../../../text/error-message.ts';
import { plural } from '../../../text/format.ts';
import { BATCH_BYTES, BODY_BYTES, type Bodies, gathered, OWNERS } from '../bodies.ts';
import { localAssignment, withLogPaths } from '../portable-paths.ts';
import {
  assignmentsOf,
  HOSTS_LOST,
  jobDataSchema,
  MOST_STALLED,
  nonceOf,
  PROTOCOL,
  type Receipt,
  type RemoteAssignment,
  remoteAssignmentSchema,
  SEALED_FOR,
  stoppedMembers,
} from '../protocol.ts';
import { BrokenSeal, type QueueKey } from '../sealing.ts';
import { HostBatch, sentMessage } from './batch.ts';
import type { HostEngines } from './engines.ts';
import type { Lease } from './lease.ts';
import type { ExecutionMessages, Outbox } from './outbox.ts';
import { ProjectProblem, type ProjectRequest, type Projects } from './projects.ts';
import { type Sender, sendLogs, sendOutputs } from './returned.ts';

/** A job that this host does not execute; the message is a sentence that may be read without the key. */
class Refused extends Error {
  override name = 'Refused';
}

/** What executions of a host have in common. */
export interface ExecutionParts {
  host: string;
  key: QueueKey;
  bodies: Bodies;
  engines: HostEngines;
  outbox: Outbox;
  projects: Projects;
  /** Folder for the logs of executions. */
  logs: string;
  /** Redis's clock, in milliseconds since 1970. */
  redisNow: () => number;
  /** Whether the host answered this very job before: somebody stored it again. */
  isAnswered: (lease: Lease, sealed: string) => Promise<boolean>;
}

/** What has become of a job. */
export type Handled =
  /** Of each assignment the outcome; null for what was not begun. */
  | { kind: 'answered'; outcomes: readonly (Outcome | null)[]; dropped: number }
  | { kind: 'refused'; why: string }
  /** Another host may have it: what was done does not count. */
  | { kind: 'lost' }
  /** It was stopped here, and is first in the queue again. */
  | { kind: 'given-back' };

let executions = 0;

function nextExecutionId(): number {
  executions += 1;
  return executions;
}

/** What is sent back of a job that was executed. */
interface RemoteAnswer {
  outcomes: (Outcome | null)[];
  files: Receipt['files'];
}

/** A job in hand. */
export class RemoteExecution {
  readonly lease: Lease;
  readonly agent: string;
  readonly #parts: ExecutionParts;
  readonly #onOpened: (remote: RemoteAssignment) => void;
  readonly #stop = new AbortController();
  #remote: RemoteAssignment | null = null;
  #isGivenBack = false;
  #batch: HostBatch | null = null;

  /** @param onOpened called when it is known what is to be executed, before anything of it begins. */
  constructor(
    lease: Lease,
    agent: string,
    parts: ExecutionParts,
    onOpened: (remote: RemoteAssignment) => void,
  ) {
    this.#onOpened = onOpened;
    this.lease = lease;
    this.agent = agent;
    this.#parts = parts;
  }

  /** None before they were opened. */
  get assignments(): readonly Assignment[] {
    return this.#remote === null ? [] : assignmentsOf(this.#remote);
  }

  /** Stops it, and puts the job back. */
  giveBack(): void {
    this.#isGivenBack = true;
    this.#abort('interrupted');
  }

  /** A hint that the run wants it to be stopped. */
  lookForCancel(): void {
    void this.lease.renew();
  }

  /** Never rejects because of what the job is or does. */
  async handle(): Promise<Handled> {
    const { lease } = this;
    try {
      if (lease.job.deferredFailure) throw new Refused(lease.job.deferredFailure);
      const remote = await this.#open();
      const most = remote.others === undefined ? MOST_STALLED : 0;
      if (this.#lostHosts(remote) > most) throw new Refused(HOSTS_LOST);
      this.#remote = remote;
      this.#onOpened(remote);
      this.#parts.engines.expect(remote);
      this.#watch(remote);
      return await this.#execute(remote);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return (await lease.refuse(error.message)) ? { kind: 'refused', why: error.message } : { kind: 'lost' };
    }
  }

  #lostHosts({ lost = 0 }: RemoteAssignment): number {
    return this.lease.job.stalledCounter + lost;
  }

  /** @throws Refused */
  async #open(): Promise<RemoteAssignment> {
    const { key, bodies, redisNow, isAnswered } = this.#parts;
    const { id, job } = this.lease;
    const data = jobDataSchema.safeParse(job.data);
    if (!data.success) throw new Refused('It was not stored by a run of Millrace.');
    const { sealed = null, body = null } = data.data;
    try {
      if (sealed === null && body === null) throw new Refused('It has no assignment.');
      if (await isAnswered(this.lease, sealed ?? JSON.stringify(body)))
        throw new Refused('It was executed here before, and stored again.');
      const text =
        sealed === null
          ? await gathered(bodies.read(OWNERS.assignment(id), body ?? []))
          : key.open(SEALED_FOR.assignment(id), Buffer.from(sealed, 'base64'));
      const remote = remoteAssignmentSchema.parse(JSON.parse(text.toString()));
      if (remote.job !== id || remote.nonce !== nonceOf(id)) throw new BrokenSeal(SEALED_FOR.assignment(id));
      if (remote.expiresAt < redisNow()) throw new Refused('Its time was over before a host took it.');
      return remote;
    } catch (error) {
      if (error instanceof Refused) throw error;
      if (error instanceof BrokenSeal)
        throw new Refused('It was not sealed for this job with the key of this host, or was changed.');
      throw new Refused(
        `Its assignment can't be read: ${error instanceof SyntaxError ? 'it is no JSON' : shortened(error)}.`,
      );
    }
  }

  #watch({ strictLease, assignment }: RemoteAssignment): void {
    const { lease } = this;
    const strictMs = strictLease ? lease.strictMargin(assignment.limits.graceSeconds) : null;
    lease.watch(
      {
        onCancel: (sealed) => this.#cancel(sealed),
        onLost: () => this.#abort('interrupted'),
        onEnding: () => this.giveBack(),
      },
      strictMs,
    );
  }

  #cancel(sealed: string): void {
    try {
      const opened = this.#parts.key.open(SEALED_FOR.cancel(this.lease.id), Buffer.from(sealed, 'base64'));
      const reason = opened.toString();
      for (const member of stoppedMembers(reason) ?? []) this.#batch?.stop(member);
      if (reason === 'interrupted' || reason === 'cancelled') this.#abort(reason);
    } catch {
      // Anyone may have stored it who can write to Redis.
    }
  }

  #abort(reason: CancelReason): void {
    if (!this.#stop.signal.aborted) this.#stop.abort(reason);
  }

  async #execute(remote: RemoteAssignment): Promise<Handled> {
    const { lease } = this;
    const { outbox, logs, bodies } = this.#parts;
    const messages = outbox.open(remote.nonce);
    const logFolder = join(logs, lease.token);
    try {
      // A moment each: passing them to a thread of libuv would take longer, once for each job.
      mkdirSync(logFolder, { recursive: true, mode: 0o700 });
      const { assignment, source, setup } = remote;
      const request = { source, setup, shell: assignment.shell, runId: assignment.runId };
      const sender = { bodies, owner: OWNERS.receipt(lease.id, lease.token) };
      const begin = startTimer();
      const work =
        remote.others === undefined
          ? this.#executeOne(remote, request, { messages, logFolder, sender })
          : this.#executeBatch(remote, request, { messages, logFolder });
      const answer = await work.catch((error: unknown) => {
        if (!(error instanceof ProjectProblem)) throw error;
        const failure = { reason: 'workspace-error', detail: error.message } as const;
        const failed = failedOutcome(failure, measured(begin), null);
        return { outcomes: assignmentsOf(remote).map(() => failed), files: [] };
      });
      if (answer === null) return await this.#leave();
      const sentLogs = await sendLogs(logFolder, sender);
      if (messages.dropped > 0) this.#noteDropped(messages);
      const receipt = await this.#receipt(
        answer.outcomes,
        { files: answer.files, logs: sentLogs },
        logFolder,
        messages,
      );
      if (!(await lease.complete(receipt))) return { kind: 'lost' };
      return { kind: 'answered', outcomes: answer.outcomes, dropped: messages.dropped };
    } catch (error) {
      if (lease.isLost) return { kind: 'lost' };
      throw error;
    } finally {
      messages.close();
      rmSync(logFolder, { recursive: true, force: true });
    }
  }

  get #isGone(): boolean {
    return this.lease.isLost || this.#isGivenBack;
  }

  async #leave(): Promise<Handled> {
    if (!this.lease.isLost && (await this.lease.giveBack())) return { kind: 'given-back' };
    return { kind: 'lost' };
  }

  /** Null where what it did does not count. */
  #executeOne(
    remote: RemoteAssignment,
    request: ProjectRequest,
    { messages, logFolder, sender }: { messages: ExecutionMessages; logFolder: string; sender: Sender },
  ): Promise<RemoteAnswer | null> {
    return this.#parts.projects.use(request, this.agent, async (folder) => {
      const local = localAssignment(remote.assignment, folder, logFolder);
      const outcome = await this.#run(remote, local, messages);
      if (this.#isGone) return null;
      const sent = await sendOutputs(outcome, local.workspace, sender);
      if (this.#isGone) return null;
      const sentOutcome = sent.problem === null ? outcome : failing(outcome, sent.problem);
      return { outcomes: [sentOutcome], files: sent.files };
    });
  }

  async #executeBatch(
    remote: RemoteAssignment,
    request: ProjectRequest,
    { messages, logFolder }: { messages: ExecutionMessages; logFolder: string },
  ): Promise<RemoteAnswer | null> {
    const { projects, engines } = this.#parts;
    const batch = new HostBatch(assignmentsOf(remote), {
      engines,
      remote,
      signal: this.#stop.signal,
      send: (message) => {
        if (!this.lease.isLost) messages.send({ job: this.lease.id, token: this.lease.token, ...message });
      },
      agent: { host: this.#parts.host, name: this.agent, lease: this.lease.number },
      nextId: nextExecutionId,
    });
    this.#batch = batch;
    while (batch.hasMore)
      await projects.use(request, this.agent, (folder) =>
        batch.execute(projects.isWritten(request) ? 1 : batch.size, (assignment) =>
          localAssignment(assignment, folder, logFolder),
        ),
      );
    // Where it is given back, what was not begun is: the rest has been done.
    return this.lease.isLost ? null : { outcomes: batch.outcomes, files: [] };
  }

  async #run(remote: RemoteAssignment, local: Assignment, messages: ExecutionMessages): Promise<Outcome> {
    const { host, engines } = this.#parts;
    const { id, token, number } = this.lease;
    const execution = { job: id, token };
    const agentId = `${host}/${this.agent}`;
    const assignment: Assignment = { ...local, executionId: nextExecutionId(), agentId };
    // What has killed a host once gets a process of its own.
    if (this.#lostHosts(remote) > 0) assignment.workstream.isolation = 'process';
    messages.send({ ...execution, type: 'began', host, agent: this.agent, at: Date.now(), lease: number });
    return engines.execute(remote, assignment, {
      signal: this.#stop.signal,
      onMessage: (message) => {
        const sent = sentMessage(message);
        if (sent !== null && !this.lease.isLost) messages.send({ ...execution, ...sent });
      },
      onLate: (text) => messages.send({ ...execution, type: 'notice', text }),
    });
  }

  #noteDropped(messages: ExecutionMessages): void {
    const text = `${plural(messages.dropped, 'line')} of its log could not be sent: the run did not read them.`;
    messages.send({ job: this.lease.id, token: this.lease.token, type: 'notice', text });
  }

  async #receipt(
    outcomes: readonly (Outcome | null)[],
    sent: Pick<Receipt, 'files' | 'logs'>,
    logFolder: string,
    messages: ExecutionMessages,
  ): Promise<string> {
    const { host, key, bodies } = this.#parts;
    const { lease, agent } = this;
    const names = new Set(sent.logs.map(({ path }) => path));
    const sentLog = (path: string): string | null => {
      const name = relative(logFolder, path);
      return names.has(name) ? name : null;
    };
    const portable = outcomes.map((outcome) => (outcome === null ? null : withLogPaths(outcome, sentLog)));
    const isBatch = this.#remote?.others !== undefined;
    const json = Buffer.from(JSON.stringify(isBatch ? portable : portable[0]));
    const body = (): Promise<string[]> => bodies.store(OWNERS.receipt(lease.id, lease.token), [json]);
    const receipt: Receipt = {
      protocol: PROTOCOL,
      job: lease.id,
      token: lease.token,
      host,
      agent,
      outcome:
        json.length < (isBatch ? BATCH_BYTES : BODY_BYTES)
          ? { inline: json.toString() }
          : { body: await body() },
      ...sent,
      lastMessageId: await messages.flush(),
    };
    return key.seal(SEALED_FOR.receipt(lease.id), Buffer.from(JSON.stringify(receipt))).toString('base64');
  }
}

/** A completed workstream whose files can't return has not completed. */
function failing(outcome: Outcome, detail: string): Outcome {
  if (outcome.status === 'failed') return { ...outcome, warnings: [...outcome.warnings, detail] };
  return {
    ...outcome,
    status: 'failed',
    failure: failureSchema.parse({ reason: 'workspace-error', detail }),
  };
}

const shortened = (error: unknown): string => messageOf(error).slice(0, 500);
