/** Opens a page with the program that the user has for it. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { messageOf } from '../text/error-message.ts';

/** How long a program that opens pages is watched for an error, in milliseconds. It may last as long as the browser. */
const SOON_MS = 2_000;

/** @param page path or address. @returns what kept it from being opened; null where nothing did at once. */
export async function openProblem(page: string): Promise<string | null> {
  try {
    const { default: open } = await import('open');
    const opener = await open(page);
    return await earlyEnd(opener);
  } catch (error) {
    return messageOf(error);
  }
}

async function earlyEnd(opener: ChildProcess): Promise<string | null> {
  opener.ref();
  try {
    const [code] = await once(opener, 'exit', { signal: AbortSignal.timeout(SOON_MS) });
    return code === 0 ? null : `${opener.spawnfile} ended with exit code ${String(code)}`;
  } catch (error) {
    if (error instanceof Error && error.name === 'AbortError') return null;
    throw error;
  } finally {
    opener.unref();
  }
}
