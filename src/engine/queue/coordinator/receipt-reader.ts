/** What hosts send back: opened, checked, and its files put in place. */
import { chmodSync, realpathSync } from 'node:fs';
import { basename, dirname, join, posix, resolve, sep } from 'node:path';
import { z } from 'zod';
import type { Assignment } from '../../../domain/assignment.ts';
import type { Failure } from '../../../domain/failure.ts';
import { internalError, type Outcome } from '../../../domain/outcome.ts';
import { makeFolder } from '../../../os/folder.ts';
import { makeOwnFolder } from '../../../os/log-file.ts';
import { replaceFile } from '../../../os/replace-file.ts';
import { type Bodies, gathered, MissingBody, OWNERS } from '../bodies.ts';
import { withLogPaths } from '../portable-paths.ts';
import {
  batchOutcomesSchema,
  type Receipt,
  type ReturnedFile,
  receiptSchema,
  remoteOutcomeSchema,
  SEALED_FOR,
} from '../protocol.ts';
import { BrokenSeal, type QueueKey } from '../sealing.ts';
import { logNameOf } from './job-execution.ts';

/** What came back can't be taken; the message is a clause that says why. */
export class RefusedReceipt extends Error {
  override name = 'RefusedReceipt';
}

/** Of an assignment: where its log goes. */
type LogPlace = Pick<Assignment, 'logFile'>;

/** With which anyone may complete a job, whoever has it: BullMQ lets it pass. */
const NO_TOKEN = '0';
const LOG_MODE = 0o600;
const [FILE_MODE, EXECUTABLE_MODE] = [0o644, 0o755];

export class ReceiptReader {
  readonly #key: QueueKey;
  readonly #bodies: Bodies;
  readonly #project: string;

  /** @param project absolute folder. */
  constructor(key: QueueKey, bodies: Bodies, project: string) {
    this.#key = key;
    this.#bodies = bodies;
    this.#project = project;
  }

  /** @throws RefusedReceipt, BrokenSeal */
  open(job: string, returned: string): Receipt {
    const bytes = this.#key.open(SEALED_FOR.receipt(job), Buffer.from(returned, 'base64'));
    const parsed = receiptSchema.safeParse(JSON.parse(bytes.toString()));
    if (!parsed.success) throw new RefusedReceipt('it is of another version of Millrace');
    if (parsed.data.job !== job || parsed.data.token === NO_TOKEN)
      throw new RefusedReceipt('it is that of another lease');
    return parsed.data;
  }

  /**
   * The outcome of each assignment of its job, with the files put in place that came with it; null for what was not begun.
   * @throws MissingBody, BrokenSeal, RefusedReceipt, an error of the file system
   */
  async outcomes(receipt: Receipt, assignments: readonly LogPlace[]): Promise<(Outcome | null)[]> {
    const { outcome, job, token } = receipt;
    const text =
      'inline' in outcome
        ? outcome.inline
        : (await gathered(this.#bodies.read(OWNERS.receipt(job, token), outcome.body))).toString();
    const outcomes = outcomesIn(JSON.parse(text), assignments.length);
    if (receipt.logs.length > 0) await this.#putLogs(receipt, assignments);
    if (receipt.files.length > 0) await this.#putOutputs(receipt, outcomes);
    const executedBy = { host: receipt.host, agentId: `${receipt.host}/${receipt.agent}` };
    return outcomes.map((each, index) => {
      if (each === null) return null;
      const folder = this.#logFolder(assignments[index]);
      return { ...withLogPaths(each, (path) => (isSafe(path) ? join(folder, path) : null)), executedBy };
    });
  }

  /** Removes what the receipt names. */
  async forget({ job, token, outcome, files, logs }: Receipt): Promise<void> {
    const ids = [
      ...('body' in outcome ? outcome.body : []),
      ...[...files, ...logs].flatMap(({ body }) => body),
    ];
    if (ids.length > 0) await this.#bodies.remove(OWNERS.receipt(job, token), ids);
  }

  #logFolder(assignment: LogPlace | undefined): string {
    return resolve(this.#project, dirname(assignment?.logFile ?? ''));
  }

  /** Only such as are those of its executions. */
  async #putLogs(receipt: Receipt, assignments: readonly LogPlace[]): Promise<void> {
    for (const log of receipt.logs) {
      // `a.2.log` is that of the second attempt at `a`, or of the first at `a.2`.
      const [owner] = assignments
        .filter((assignment) => log.path.startsWith(`${logNameOf(assignment)}.`))
        .toSorted((one, other) => logNameOf(other).length - logNameOf(one).length);
      if (!isSafe(log.path) || owner === undefined)
        throw new RefusedReceipt(`it has a log ${JSON.stringify(log.path)} that is not one of its own`);
      const folder = this.#logFolder(owner);
      makeOwnFolder(folder);
      await this.#put(receipt, log, join(folder, log.path), LOG_MODE);
    }
  }

  /** Only such as are among its declared outputs, and inside the project. */
  async #putOutputs(receipt: Receipt, outcomes: readonly (Outcome | null)[]): Promise<void> {
    const declared = new Set(outcomes.flatMap((each) => each?.outputs.map(({ path }) => path) ?? []));
    const root = realpathSync(this.#project);
    for (const file of receipt.files) {
      if (!isSafe(file.path) || !declared.has(file.path))
        throw new RefusedReceipt(`it has a file ${JSON.stringify(file.path)} that is none of its outputs`);
      const path = join(root, file.path);
      makeFolder(dirname(path));
      const real = realpathSync(dirname(path));
      if (real !== root && !real.startsWith(`${root}${sep}`))
        throw new RefusedReceipt(`its output ${JSON.stringify(file.path)} would be outside the project`);
      await this.#put(
        receipt,
        file,
        join(real, basename(path)),
        file.executable ? EXECUTABLE_MODE : FILE_MODE,
      );
    }
  }

  async #put({ job, token }: Receipt, { body }: ReturnedFile, path: string, mode: number): Promise<void> {
    makeFolder(dirname(path));
    const content = await gathered(this.#bodies.read(OWNERS.receipt(job, token), body));
    replaceFile(path, content, { durable: false });
    chmodSync(path, mode);
  }
}

/** What a `ReceiptReader` has thrown, as the failure of what came back. */
export function notTaken(error: unknown): Failure {
  if (error instanceof BrokenSeal || error instanceof SyntaxError)
    return {
      reason: 'remote-refused',
      detail: 'what came back for it was not sealed with the key of this run',
    };
  if (error instanceof RefusedReceipt || error instanceof MissingBody)
    return { reason: 'remote-refused', detail: `what came back for it can't be taken: ${error.message}` };
  return internalError(error);
}

/** @throws RefusedReceipt */
function outcomesIn(json: unknown, count: number): (Outcome | null)[] {
  const parsed =
    count === 1 ? z.tuple([remoteOutcomeSchema]).safeParse([json]) : batchOutcomesSchema.safeParse(json);
  if (!parsed.success || parsed.data.length !== count)
    throw new RefusedReceipt('its outcome is of another version of Millrace');
  return parsed.data;
}

/** A path of one spelling, relative and without a way up. */
const isSafe = (path: string): boolean =>
  path !== '' &&
  path !== '.' &&
  !path.includes('\0') &&
  !path.includes('\\') &&
  !posix.isAbsolute(path) &&
  posix.normalize(path) === path &&
  !path.split('/').includes('..');
