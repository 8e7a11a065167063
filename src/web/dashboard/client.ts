/** What the page asks of the server: answers, and changes that need the token. */
import { signal, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { ActAnswer, DashboardRefusal, SessionAnswer } from '../../domain/dashboard/answers.ts';

/** Sent with each change, beside the cookie: what the server said last. */
let actToken = '';

/** Whether the server has said that it does not know this browser, as one does that was started again with another token. */
export const isSignedOut = signal(false);

/** The token in the address; null for none. */
export const tokenInAddress = (): string | null => /^#token=([^&]+)$/.exec(location.hash)?.[1] ?? null;

/**
 * Takes the token out of the address, where it would be seen and copied, and exchanges it for a cookie; a window without one
 * uses the cookie that another got. @throws {Refused} where the server knows neither.
 */
export async function openSession(): Promise<void> {
  const token = tokenInAddress();
  if (token === null) return session();
  history.replaceState(null, '', `${location.pathname}#/`);
  await signIn(token);
}

/** Exchanges the token for a cookie. @throws {Refused} where it is another one. */
export const signIn = (token: string): Promise<void> =>
  session({ method: 'POST', headers: JSON_TYPE, body: JSON.stringify({ token }) });

async function session(init: RequestInit = {}): Promise<void> {
  const answer = await answerOf<SessionAnswer>('/api/session', init);
  actToken = answer.actToken;
  isSignedOut.value = false;
}

/** Finds out whether the server knows this browser, which a stream that is refused is not told. */
export async function checkSession(): Promise<void> {
  try {
    await session();
  } catch {
    // That it does not is in `isSignedOut`, and that it does not answer is seen by the stream too.
  }
}

const UNAUTHORIZED = 401;
const FORBIDDEN = 403;
const JSON_TYPE = { 'content-type': 'application/json' };

/** What the server said instead of an answer. */
class Refused extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The answer to a question. @throws {Refused} and, where there is no server, what `fetch` throws. */
export const ask = <Answer>(path: string, signal?: AbortSignal): Promise<Answer> =>
  answerOf<Answer>(path, signal === undefined ? {} : { signal });

/** Asks a run to do something. @throws as `ask`. */
export async function act(
  runId: string,
  what: 'stop' | 'retry',
  workstreams: readonly string[],
): Promise<ActAnswer> {
  const path = `${pathOfRun(runId)}/${what}`;
  const body = JSON.stringify({ workstreams });
  const send = (): Promise<ActAnswer> =>
    answerOf(path, { method: 'POST', headers: { ...JSON_TYPE, 'x-millrace-token': actToken }, body });
  try {
    return await send();
  } catch (error) {
    if (!(error instanceof Refused) || error.status !== FORBIDDEN) throw error;
    // Another window may have opened the next session, whose cookie this one has too.
    await session();
    return send();
  }
}

export const pathOfRun = (runId: string): string => `/api/runs/${encodeURIComponent(runId)}`;

async function answerOf<Answer>(path: string, init: RequestInit): Promise<Answer> {
  const response = await fetch(path, { ...init, credentials: 'same-origin', cache: 'no-store' });
  if (response.status === UNAUTHORIZED) isSignedOut.value = true;
  if (!response.ok) throw new Refused(response.status, await messageOf(response));
  return await response.json();
}

async function messageOf(response: Response): Promise<string> {
  const text = await response.text();
  try {
    const refusal: DashboardRefusal = JSON.parse(text);
    return refusal.message;
  } catch {
    return `The server answered ${response.status}.`;
  }
}

/** An answer as far as it is known, and what went wrong with the last question. */
export interface Answered<Answer> {
  answer: Answer | null;
  /** Whether the answer is that to the question before. */
  isLate: boolean;
  problem: string | null;
}

/**
 * The answer to a question, asked again whenever it or `asOf` changes, and once the server knows this browser again; the last
 * one is shown until the next is there, so that what the reader asks it with, such as a field, stays.
 */
export function useAnswer<Answer>(path: string, asOf: number): Answered<Answer> {
  const asked = useSignal<Omit<Answered<Answer>, 'isLate'> & { path: string }>({
    path,
    answer: null,
    problem: null,
  });
  useEffect(() => {
    const aborter = new AbortController();
    ask<Answer>(path, aborter.signal).then(
      (answer) => (asked.value = { path, answer, problem: null }),
      (error: unknown) => {
        if (!aborter.signal.aborted) asked.value = { ...asked.peek(), problem: messageOfError(error) };
      },
    );
    return () => aborter.abort();
  }, [path, asOf, isSignedOut.value]);
  const { path: of, ...known } = asked.value;
  return { ...known, isLate: of !== path };
}

export const messageOfError = (error: unknown): string =>
  error instanceof Refused
    ? error.message
    : 'The dashboard does not answer. Is “millrace dashboard” still running?';
