/**
 * What takes long to find out is answered by a process of its own: what is told of many runs, and whole runs of a long
 * history. So no question delays an event of a run. It is started when it is needed, is asked over a
 * channel, and ends with that.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { z } from 'zod';
import { messageOf } from '../text/error-message.ts';
import { lowerPriority, program } from './child.ts';
import { failureSchema, Unanswered } from './failure.ts';
import { TOKEN_VARIABLE } from './token.ts';

/** What is asked. A run is named by its id but for that of a workstream, which is named as a person does. */
const questionSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('patterns') }),
  z.object({ kind: z.literal('pattern'), id: z.string() }),
  z.object({ kind: z.literal('trends') }),
  z.object({ kind: z.literal('tools') }),
  z.object({ kind: z.literal('workstreams'), search: z.string(), after: z.string(), limit: z.number() }),
  z.object({ kind: z.literal('workstream'), id: z.string(), run: z.string().nullable() }),
  z.object({ kind: z.literal('document'), runId: z.string() }),
  z.object({ kind: z.literal('head'), runId: z.string(), shown: z.number() }),
]);
export type Question = z.infer<typeof questionSchema>;

/** A question; then, for each further piece of its answer, that it is wanted, or once that no more of them are. */
export const askedSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('question'), number: z.number(), question: questionSchema }),
  z.object({ kind: z.literal('next'), number: z.number() }),
  z.object({ kind: z.literal('enough'), number: z.number() }),
]);
type QuestionMessage = z.infer<typeof askedSchema>;

/** A piece of the JSON as bytes, or why there is none. */
const answeredSchema = z.object({
  number: z.number(),
  piece: z.object({ bytes: z.instanceof(Uint8Array), isLast: z.boolean() }).nullable(),
  failure: failureSchema.nullable(),
});
export type AnswerMessage = z.infer<typeof answeredSchema>;
type Piece = NonNullable<AnswerMessage['piece']>;

/** A process without a question for so long is ended, in milliseconds: it takes as much memory as the dashboard itself. */
const IDLE_MS = 20_000;

interface Waiting {
  resolve: (piece: Piece) => void;
  reject: (error: unknown) => void;
}

/** Asks such a process, which it starts when it is needed. */
export class Answers {
  readonly #path: string;
  /** By number of the question: who waits for a piece of the answer. */
  readonly #waiting = new Map<number, Waiting>();
  /** Questions whose answers are not at their end. */
  readonly #open = new Set<number>();
  #child: ChildProcess | null = null;
  #idle: NodeJS.Timeout | undefined;
  #last = 0;

  /** @param path of the database. */
  constructor(path: string) {
    this.#path = path;
  }

  /** Starts the process, for a question that is likely to come. */
  prepare(): void {
    this.#child ??= this.#start();
    this.#restIfIdle();
  }

  /**
   * JSON of the answer, whose pieces are asked for as they are taken: one is held, however long the answer. Rejects with
   * `Unanswered`.
   */
  async ask(question: Question): Promise<ReadableStream<Uint8Array>> {
    const number = (this.#last += 1);
    this.#open.add(number);
    const child = (this.#child ??= this.#start());
    let piece = await this.#piece(child, { kind: 'question', number, question });
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          controller.enqueue(piece.bytes);
          if (piece.isLast) controller.close();
          else piece = await this.#piece(child, { kind: 'next', number });
        },
        cancel: () => {
          this.#waiting.delete(number);
          this.#ended(number);
          send(child, { kind: 'enough', number });
        },
      },
      { highWaterMark: 0 },
    );
  }

  close(): void {
    clearTimeout(this.#idle);
    const child = this.#child;
    this.#child = null;
    if (child?.connected === true) child.disconnect();
    this.#fail(unanswered('The dashboard ends.'));
  }

  #start(): ChildProcess {
    const { [TOKEN_VARIABLE]: _, ...env } = process.env;
    const child = spawn(
      process.execPath,
      [program(), 'dashboard', '--state', dirname(this.#path), '--answers'],
      {
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
        // Bytes are copied as they are.
        serialization: 'advanced',
        env,
        // A Ctrl-C is for the dashboard, which ends it.
        detached: true,
      },
    );
    child.unref();
    child.channel?.unref();
    child.on('message', (message) => this.#take(answeredSchema.parse(message)));
    child.once('error', (error) => this.#over(child, messageOf(error)));
    child.once('exit', (code, signal) => this.#over(child, `it ended by ${signal ?? `exit code ${code}`}`));
    lowerPriority(child.pid);
    return child;
  }

  #piece(child: ChildProcess, asked: QuestionMessage): Promise<Piece> {
    clearTimeout(this.#idle);
    return new Promise((resolve, reject) => {
      if (child !== this.#child) return reject(gone('its process has ended'));
      this.#waiting.set(asked.number, { resolve, reject });
      send(child, asked);
    });
  }

  #take({ number, piece, failure }: AnswerMessage): void {
    const waiting = this.#waiting.get(number);
    this.#waiting.delete(number);
    if (piece?.isLast !== false) this.#ended(number);
    // A copy: it may be held for long, and would keep all that was read from the channel with it.
    if (piece !== null) waiting?.resolve({ ...piece, bytes: new Uint8Array(piece.bytes) });
    else if (failure !== null) waiting?.reject(new Unanswered(failure));
  }

  #ended(number: number): void {
    this.#open.delete(number);
    this.#restIfIdle();
  }

  #restIfIdle(): void {
    clearTimeout(this.#idle);
    if (this.#open.size === 0) this.#idle = setTimeout(() => this.close(), IDLE_MS).unref();
  }

  #over(child: ChildProcess, why: string): void {
    if (child !== this.#child) return;
    this.#child = null;
    this.#fail(gone(why));
  }

  #fail(failure: Unanswered): void {
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#open.clear();
    for (const { reject } of all) reject(failure);
  }
}

/** Where it can't be sent, the process is over, and all that wait are told. */
const send = (child: ChildProcess, asked: QuestionMessage): void => void child.send(asked, () => undefined);

const unanswered = (message: string): Unanswered =>
  new Unanswered({ status: 503, error: 'unanswered', message });

const gone = (why: string): Unanswered =>
  unanswered(`The process that looks this up is gone (${why}). To start another one, ask again.`);
