/** The process that answers what takes long to find out: see `answers.ts`, which starts it. */
import { idOfRun } from '../app/history.ts';
import { Refusal } from '../app/refusal.ts';
import { sendToParent } from '../os/parent-channel.ts';
import { WatchedDatabase } from '../store/read/live/watched-database.ts';
import { type AnswerMessage, askedSchema, type Question } from './answers.ts';
import { documentPieces, headOf } from './documents.ts';
import { connectionIn, connectionOf, failureOf } from './failure.ts';
import { Histories, nothingYet } from './histories.ts';

/** Bytes of a piece: to take one is a moment for the process that asks. */
const PIECE = 64 * 1024;

/** Answers until the channel to the process that asks is closed. @param path of the database. */
export async function answerQuestions(path: string): Promise<void> {
  const database = new WatchedDatabase(path);
  const histories = new Histories();
  const replies = new Replies((question) => answerTo(question, database, histories));
  process.on('message', (message) => replies.take(message));
  await new Promise<void>((resolve) => process.once('disconnect', resolve));
  database.close();
}

/** Answers that are being taken, piece by piece. */
class Replies {
  readonly #answerTo: (question: Question) => Promise<string>;
  /** What is still to be taken of each answer; null until it is looked up. */
  readonly #left = new Map<number, Uint8Array<ArrayBuffer> | null>();
  #documents: Promise<void> = Promise.resolve();

  constructor(answerTo: (question: Question) => Promise<string>) {
    this.#answerTo = answerTo;
  }

  take(message: unknown): void {
    const asked = askedSchema.parse(message);
    if (asked.kind === 'question') this.#take(asked.number, asked.question);
    else if (asked.kind === 'next') this.#sendPiece(asked.number);
    else this.#left.delete(asked.number);
  }

  #take(number: number, question: Question): void {
    this.#left.set(number, null);
    const answer = (): Promise<void> => this.#answer(number, question);
    // One after the other, as each takes much memory. What is short has its turn between their parts.
    if (question.kind === 'document') this.#documents = this.#documents.then(answer);
    else void answer();
  }

  async #answer(number: number, question: Question): Promise<void> {
    // Whoever asked has left, or there is no dashboard any more.
    if (!this.#left.has(number) || !process.connected) return;
    try {
      const json = new TextEncoder().encode(await this.#answerTo(question));
      if (this.#left.has(number)) this.#left.set(number, json);
      this.#sendPiece(number);
    } catch (error) {
      this.#left.delete(number);
      reply({ number, piece: null, failure: failureOf(error) });
    }
  }

  #sendPiece(number: number): void {
    const left = this.#left.get(number) ?? null;
    // Whoever asked has left meanwhile.
    if (left === null) return;
    const isLast = left.length <= PIECE;
    if (isLast) this.#left.delete(number);
    else this.#left.set(number, left.subarray(PIECE));
    reply({ number, piece: { bytes: left.subarray(0, PIECE), isLast }, failure: null });
  }
}

/** A dashboard that has ended needs no answer. */
const reply = (answered: AnswerMessage): void => sendToParent(answered);

/** JSON of the answer. */
async function answerTo(
  question: Question,
  database: WatchedDatabase,
  histories: Histories,
): Promise<string> {
  const nothing = connectionIn(database) === null ? nothingYet(question.kind) : null;
  if (nothing !== null) return JSON.stringify(nothing);
  const connection = connectionOf(database);
  switch (question.kind) {
    case 'patterns':
      return JSON.stringify(histories.patterns(connection));
    case 'pattern':
      return JSON.stringify(histories.pattern(connection, question.id));
    case 'trends':
      return JSON.stringify(histories.trends(connection));
    case 'tools':
      return JSON.stringify(histories.tools(connection));
    case 'workstreams':
      return JSON.stringify(histories.workstreams(connection, question));
    case 'workstream': {
      const runId = question.run === null ? null : idOfRun(connection, question.run);
      return JSON.stringify(histories.workstream(connection, { id: question.id, runId }));
    }
    case 'document': {
      const pieces = await documentPieces(connection, question.runId, database.path);
      if (pieces === null) throw new Refusal(4, `There is no run ${question.runId}.`);
      return pieces.join('');
    }
    case 'head': {
      const { runId, shown } = question;
      return JSON.stringify(headOf(connection, runId, { database: database.path, shown }));
    }
  }
}
