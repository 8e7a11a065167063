/** What hosts send back: opened, checked, and its files put in place. */
import { chmodSync, realpathSync } from 'node:fs';
import { basename, dirname, join, posix, resolve, sep } from 'node:path';
import type { Assignment } from '../../../domain/assignment.ts';
import type { Outcome } from '../../../domain/outcome.ts';
import { makeFolder } from '../../../os/folder.ts';
import { makeOwnFolder } from '../../../os/log-file.ts';
import { replaceFile } from '../../../os/replace-file.ts';
import { type Bodies, gathered, OWNERS } from '../bodies.ts';
import { withLogPaths } from '../portable-paths.ts';
import {
  type Receipt,
  type ReturnedFile,
  receiptSchema,
  remoteOutcomeSchema,
  SEALED_FOR,
} from '../protocol.ts';
import type { QueueKey } from '../sealing.ts';

/** What came back can't be taken; the message is a clause that says why. */
export class RefusedReceipt extends Error {
  override name = 'RefusedReceipt';
}

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

  /** @throws MissingBody, BrokenSeal, RefusedReceipt, an error of the file system */
  async outcome(receipt: Receipt, assignment: Assignment): Promise<Outcome> {
    const { outcome, job, token } = receipt;
    const text =
      'inline' in outcome
        ? outcome.inline
        : (await gathered(this.#bodies.read(OWNERS.receipt(job, token), outcome.body))).toString();
    const parsed = remoteOutcomeSchema.safeParse(JSON.parse(text));
    if (!parsed.success) throw new RefusedReceipt('its outcome is of another version of Millrace');
    const folder = resolve(this.#project, dirname(assignment.logFile));
    await this.#putLogs(receipt, folder, stemOf(assignment.logFile));
    await this.#putOutputs(receipt, parsed.data);
    const agentId = `${receipt.host}/${receipt.agent}`;
    return {
      ...withLogPaths(parsed.data, (path) => (isSafe(path) ? join(folder, path) : null)),
      executedBy: { host: receipt.host, agentId },
    };
  }

  /** Removes what the receipt names. */
  async forget({ job, token, outcome, files, logs }: Receipt): Promise<void> {
    const ids = [
      ...('body' in outcome ? outcome.body : []),
      ...[...files, ...logs].flatMap(({ body }) => body),
    ];
    if (ids.length > 0) await this.#bodies.remove(OWNERS.receipt(job, token), ids);
  }

  /** Only such as are those of its execution. */
  async #putLogs(receipt: Receipt, folder: string, stem: string): Promise<void> {
    makeOwnFolder(folder);
    for (const log of receipt.logs) {
      if (!isSafe(log.path) || !log.path.startsWith(`${stem}.`))
        throw new RefusedReceipt(`it has a log ${JSON.stringify(log.path)} that is not one of its own`);
      await this.#put(receipt, log, join(folder, log.path), LOG_MODE);
    }
  }

  /** Only such as are among its declared outputs, and inside the project. */
  async #putOutputs(receipt: Receipt, { outputs }: Outcome): Promise<void> {
    const declared = new Set(outputs.map(({ path }) => path));
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

const stemOf = (logFile: string): string => basename(logFile).replace(/\.log$/, '');

/** A path of one spelling, relative and without a way up. */
const isSafe = (path: string): boolean =>
  path !== '' &&
  path !== '.' &&
  !path.includes('\0') &&
  !path.includes('\\') &&
  !posix.isAbsolute(path) &&
  posix.normalize(path) === path &&
  !path.split('/').includes('..');
