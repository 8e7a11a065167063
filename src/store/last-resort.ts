import { writeSync } from 'node:fs';
import { type SpilledResult, spillLine } from './spill-line.ts';

const STANDARD_ERROR = 2;

/** Results that no file takes, as lines on standard error: saved as a spill, they can be taken in. */
export class LastResort {
  readonly #printed = new Set<string>();

  /** Prints each result once. */
  print(results: readonly SpilledResult[]): void {
    for (const result of results) {
      const id = result.result.workstreamId;
      if (this.#printed.has(id)) continue;
      if (!written(spillLine(result))) return;
      this.#printed.add(id);
    }
  }
}

/** False where nobody reads it any more. Nothing is left to be done then: the result stays in memory. */
function written(line: string): boolean {
  const bytes = Buffer.from(line);
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(STANDARD_ERROR, bytes, done);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) return false;
    }
  }
  return true;
}
