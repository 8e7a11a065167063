/** The other side of a run's socket: sends one request and reads the answer. */
import { connect, type Socket } from 'node:net';
import { parsedLine, readLine } from './line.ts';
import {
  CONTROL_VERSION,
  type ControlAnswer,
  type ControlRequest,
  controlAnswerSchema,
  controlRefusalSchema,
} from './protocol.ts';

/**
 * Why a run could not be asked:
 *
 * - `not-there`: nothing listens: it has ended, was killed, or takes no requests.
 * - `forbidden`: it is another user's.
 * - `no-answer`: its process is stopped, or too busy.
 * - `refused`: it answered that it can't do so, and the message says why.
 */
export type ControlProblem = 'not-there' | 'forbidden' | 'no-answer' | 'refused';

export class ControlError extends Error {
  readonly problem: ControlProblem;

  constructor(problem: ControlProblem, message: string) {
    super(message);
    this.name = 'ControlError';
    this.problem = problem;
  }
}

/** A run as the database knows it. */
export interface ReachableRun {
  runId: string;
  /** Path of its socket; null for a run that takes no requests. */
  socket: string | null;
}

type Unversioned<T> = T extends unknown ? Omit<T, 'version'> : never;

/** How long a run may take to answer, in milliseconds. */
const ANSWER_MS = 30_000;

/**
 * Asks a run that is under way to do something.
 * @param milliseconds how long the answer may take. Default: 30,000.
 * @throws ControlError with a sentence for a person.
 */
export async function controlRun(
  { runId, socket: path }: ReachableRun,
  request: Unversioned<ControlRequest>,
  milliseconds = ANSWER_MS,
): Promise<ControlAnswer> {
  if (path === null) throw notThere(runId);
  const socket = await connectTo(path, runId);
  try {
    socket.write(`${JSON.stringify({ version: CONTROL_VERSION, ...request })}\n`);
    const found = await readLine(socket, milliseconds);
    if (found === 'too-late') throw noAnswer(runId, milliseconds);
    if (typeof found === 'string') throw notThere(runId);
    return answerIn(found.line, runId);
  } finally {
    socket.destroy();
  }
}

function connectTo(path: string, runId: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => resolve(socket));
    socket.once('error', (error) => {
      const code = 'code' in error ? error.code : null;
      reject(code === 'EACCES' || code === 'EPERM' ? forbidden(runId) : notThere(runId));
    });
  });
}

function answerIn(line: string, runId: string): ControlAnswer {
  const value = parsedLine(line);
  const answer = controlAnswerSchema.safeParse(value);
  if (!answer.success) {
    const refused = controlRefusalSchema.safeParse(value).data?.refused;
    throw new ControlError('refused', refused ?? `What the process of ${runId} answered could not be read.`);
  }
  if (answer.data.runId !== runId) throw notThere(runId);
  return answer.data;
}

const notThere = (runId: string): ControlError =>
  new ControlError('not-there', `The process of ${runId} takes no requests: it has ended or was killed.`);

const forbidden = (runId: string): ControlError =>
  new ControlError('forbidden', `${runId} is a run of another user, which only that user may act on.`);

const noAnswer = (runId: string, milliseconds: number): ControlError =>
  new ControlError(
    'no-answer',
    `The process of ${runId} did not answer within ${milliseconds / 1000} s: it may be stopped, or have no processor.`,
  );
