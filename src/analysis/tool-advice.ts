/** Recommendations about coding agents and their work. */
import { plural } from '../support/plural.ts';
import { oneLine } from '../support/printable.ts';
import type { AdviceInput } from './advice-input.ts';
import { againCommand, nameSome } from './run-command.ts';

/** Work that is in no common branch yet, one sentence for all of it. */
export function conflictAdvice({ merges }: AdviceInput): string[] {
  const [first] = merges?.problems.shown ?? [];
  if (merges === null || first === undefined) return [];
  const { workstreamId, conflictsWith, files, branch } = first;
  const what =
    conflictsWith.length === 0
      ? `The work of ${nameSome([workstreamId])} could not be merged`
      : `The work of ${nameSome([workstreamId])} conflicts with ${nameSome(conflictsWith)} in ${nameSome(files)}`;
  const how =
    branch === null ? '' : `: take over the others first, then \`git merge ${quiet(branch)}\` and resolve it`;
  const left = merges.problems.total - 1;
  return [
    `${what}${how}.${left > 0 ? ` ${plural(left, 'more workstream')} could not be merged either.` : ''}`,
  ];
}

/** Work that only waits to be taken over. */
export function takeOverAdvice({ merges, run }: AdviceInput): string[] {
  if (merges === null) return [];
  if (merges.branch === '' && merges.mergeable > 0) {
    return [
      `The work of ${plural(merges.mergeable, 'workstream')} is on branches of its own, in which no conflict was found: list them with \`git branch --list 'millrace/${quiet(run.runId)}/*'\` and take over each with \`git merge\`.`,
    ];
  }
  if (merges.merged === 0) return [];
  return [
    `The work of ${plural(merges.merged, 'workstream')} is merged in one branch: look at it with \`git log -p HEAD..${quiet(merges.branch)}\` and take it over with \`git merge ${quiet(merges.branch)}\`.`,
  ];
}

/** What was not started because its tool, or the money for it, had run out. */
export function circuitAdvice({ skipped, run }: AdviceInput): string[] {
  return (['circuit-open', 'budget-exceeded'] as const).flatMap((reason) => {
    const found = skipped.shown.filter((each) => each.reason === reason);
    const [first] = found;
    if (first === undefined) return [];
    const ids = found.map((each) => each.workstreamId);
    const total = skipped.total > skipped.shown.length ? ids.length + 1 : ids.length;
    const command = againCommand(ids, run.runId, total);
    const why = oneLine((first.explanation ?? '').replaceAll('`', "'"), 300).replace(/\.$/, '');
    return [`${plural(ids.length, 'workstream')} (${nameSome(ids)}): ${why}, then ${command}.`];
  });
}

/** A name inside backticks. */
const quiet = (name: string): string => name.replaceAll('`', "'");
