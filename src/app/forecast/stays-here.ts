import type { Workstream } from '../../domain/workstream.ts';
import { nameSome } from '../../text/format.ts';
import type { RunOptions } from '../options.ts';

/**
 * Why a run is not executed over a queue; null where it may be. Coding agents work in worktrees of this repository, and a
 * person is asked at this terminal.
 */
export function whyItStaysHere(
  workstreams: readonly Workstream[],
  { ask }: Pick<RunOptions, 'ask'>,
): string | null {
  if (ask !== null) return '--ask and --queue do not go together: hosts execute many at once.';
  const stays = workstreams.filter(
    ({ steps, workspace }) => workspace === 'worktree' || steps.some(({ kind }) => kind === 'tool'),
  );
  if (stays.length === 0) return null;
  return `Tool steps, and workstreams with a worktree, are not executed over a queue yet: ${nameSome(stays.map(({ id }) => id))}. Run these without --queue, or name the others.`;
}
