/** What the page asks of the server: answers, and changes that need the token. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { ActAnswer, DashboardRefusal, SessionAnswer } from '../../domain/dashboard/answers.ts';

/** Sent with each change, beside the cookie. */
let actToken = '';

/**
 * Takes the token out of the address, where it would be seen and copied, and exchanges it for a cookie; a window without one
 * uses the cookie that another got. @throws {Refused} where the server knows neither.
 */
export async function openSession(): Promise<void> {
  const token = /^#token=([^&]+)$/.exec(location.hash)?.[1];
  if (token !== undefined) history.replaceState(null, '', `${location.pathname}#/`);
  const session = await answerOf<SessionAnswer>(
    '/api/session',
    token === undefined ? {} : { method: 'POST', headers: JSON_TYPE, body: JSON.stringify({ token }) },
  );
  actToken = session.actToken;
}

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
export const act = (
  runId: string,
  what: 'stop' | 'retry',
  workstreams: readonly string[],
): Promise<ActAnswer> =>
  answerOf(`${pathOfRun(runId)}/${what}`, {
    method: 'POST',
    headers: { ...JSON_TYPE, 'x-millrace-token': actToken },
    body: JSON.stringify({ workstreams }),
  });

export const pathOfRun = (runId: string): string => `/api/runs/${encodeURIComponent(runId)}`;

async function answerOf<Answer>(path: string, init: RequestInit): Promise<Answer> {
  const response = await fetch(path, { ...init, credentials: 'same-origin', cache: 'no-store' });
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
  problem: string | null;
}

/** The answer to a question, asked again whenever `asOf` changes; the last one is shown until the next is there. */
export function useAnswer<Answer>(path: string, asOf: number): Answered<Answer> {
  const asked = useSignal<Answered<Answer> & { path: string }>({ path, answer: null, problem: null });
  useEffect(() => {
    const aborter = new AbortController();
    const known = asked.peek().path === path ? asked.peek().answer : null;
    ask<Answer>(path, aborter.signal).then(
      (answer) => (asked.value = { path, answer, problem: null }),
      (error: unknown) => {
        if (!aborter.signal.aborted) asked.value = { path, answer: known, problem: messageOfError(error) };
      },
    );
    return () => aborter.abort();
  }, [path, asOf]);
  return asked.value.path === path ? asked.value : { answer: null, problem: null };
}

export const messageOfError = (error: unknown): string =>
  error instanceof Refused
    ? error.message
    : 'The dashboard does not answer. Is “millrace dashboard” still running?';
