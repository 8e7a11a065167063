/** What a tool was not allowed to do, for those whose program goes on after a denial and ends with success. */
import { oneLine } from '../../src/support/printable.ts';

/** Characters that tell what was denied. */
const WIDTH = 200;

/** Remembers denials until the tool has found another way: work done after a denial is work done. */
export class DeniedTools {
  #denied: { words: string; why: 'permission' | 'absent' }[] = [];

  /** A use of a tool was denied, or a tool that changes files was not there to be used. */
  add(words: string, why: 'permission' | 'absent'): void {
    this.#denied.push({ words: oneLine(words, WIDTH), why });
  }

  /** A tool that changes files did so. */
  worked(): void {
    this.#denied = [];
  }

  list(): string[] {
    return this.#denied.map(({ words }) => words);
  }

  /** Whether all that stood in the way is that there was no tool to change files with. */
  readOnly(): boolean {
    return this.#denied.length > 0 && this.#denied.every(({ why }) => why === 'absent');
  }
}
