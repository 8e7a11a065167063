/** What a tool was not allowed to do, for those whose program goes on after a denial and ends with success. */
import type { Failure } from '../../src/domain/failure.ts';
import { oneLine } from '../../src/support/printable.ts';
import type { ToolEnd, ToolRequest } from './tool.ts';
import { toolContext, toolFailure } from './tool-failure.ts';

/** Characters that tell what was denied. */
const WIDTH = 200;

/**
 * Remembers what stood in the way. A tool that was not there is made good by another one that changes files. What was
 * denied stays denied, whatever the tool did afterwards: only acceptance can tell whether it was needed.
 */
export class DeniedTools {
  #denied: { words: string; why: 'permission' | 'absent' }[] = [];

  /** A use of a tool was denied, or a tool that changes files was not there to be used. */
  add(words: string, why: 'permission' | 'absent'): void {
    this.#denied.push({ words: oneLine(words, WIDTH), why });
  }

  /** A tool that changes files did so. */
  worked(): void {
    this.#denied = this.#denied.filter(({ why }) => why === 'permission');
  }

  /**
   * `read-only` where all that stood in the way is that there was no tool to change files with, `permission-denied`
   * where one was not allowed; null for nothing that is left of denials.
   */
  judge(request: ToolRequest, end: ToolEnd): Failure | null {
    const [first] = this.#denied;
    if (first === undefined) return null;
    if (this.#denied.every(({ why }) => why === 'absent')) {
      return toolFailure('read-only', request, first.words, end);
    }
    const denied = this.#denied.map(({ words }) => words);
    return { reason: 'permission-denied', denied, ...toolContext(request, first.words, end) };
  }
}
