/**
 * What takes long to find out is answered by a process of its own: what is told of many runs, and whole runs of a long
 * history. So nothing that somebody looks at delays an event of a run. It is started when it is needed, is asked over a
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

export const askedSchema = z.object({ number: z.number(), question: questionSchema });
export type AskedQuestion = z.infer<typeof askedSchema>;

/** JSON as bytes, or why there is none. */
const answeredSchema = z.object({
  number: z.number(),
  json: z.instanceof(Uint8Array).nullable(),
  failure: failureSchema.nullable(),
});
export type AnsweredQuestion = z.infer<typeof answeredSchema>;

/** A process that nobody asks for so long is ended, in milliseconds: it takes as much memory as the dashboard itself. */
const IDLE_MS = 20_000;

interface Waiting {
  resolve: (json: Uint8Array) => void;
  reject: (error: unknown) => void;
}

/** Asks such a process, which it starts when it is needed. */
export class Answers {
  readonly #path: string;
  readonly #waiting = new Map<number, Waiting>();
  #child: ChildProcess | null = null;
  #idle: NodeJS.Timeout | undefined;
  #last = 0;

  /** @param path of the database. */
  constructor(path: string) {
    this.#path = path;
  }

  /** JSON of the answer, as bytes. Rejects with `Unanswered`. */
  ask(question: Question): Promise<Uint8Array> {
    clearTimeout(this.#idle);
    return new Promise((resolve, reject) => {
      const number = (this.#last += 1);
      this.#waiting.set(number, { resolve, reject });
      this.#child ??= this.#start();
      // Where it can't be sent, the process is over, and all that wait are told.
      this.#child.send({ number, question } satisfies AskedQuestion, () => undefined);
    });
  }

  close(): void {
    clearTimeout(this.#idle);
    const child = this.#child;
    this.#child = null;
    if (child?.connected === true) child.disconnect();
    this.#fail('The dashboard ends.');
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

  #take({ number, json, failure }: AnsweredQuestion): void {
    const waiting = this.#waiting.get(number);
    this.#waiting.delete(number);
    if (failure === null && json !== null) waiting?.resolve(json);
    else if (failure !== null) waiting?.reject(new Unanswered(failure));
    if (this.#waiting.size === 0) this.#idle = setTimeout(() => this.close(), IDLE_MS).unref();
  }

  #over(child: ChildProcess, why: string): void {
    if (child !== this.#child) return;
    this.#child = null;
    this.#fail(`The process that looks this up is gone (${why}). To start another one, ask again.`);
  }

  #fail(message: string): void {
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of all) reject(new Unanswered({ status: 503, error: 'unanswered', message }));
  }
}
