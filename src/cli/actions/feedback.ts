import { collectFeedback, type FeedbackResult, type FeedbackRow } from '../../app/github/feedback.ts';
import { parseOptions } from '../../app/options.ts';
import { resolvePaths } from '../../app/paths.ts';
import { nameSome } from '../../text/format.ts';
import { oneLine } from '../../text/printable.ts';
import type { FeedbackArguments } from '../commands/feedback.ts';
import { readProject } from '../config.ts';
import { endOnSignals } from '../end-on-signals.ts';
import { notify, printJson, printText, table } from '../print.ts';

/** Exit code 1 where one failed. @throws UsageError, Refusal */
export async function feedback(argv: FeedbackArguments): Promise<number> {
  endOnSignals();
  const project = await readProject(process.cwd());
  const { workstreams, state, reports } = argv;
  const { options } = parseOptions({ project, workstreams, state, reports });
  const { run: runName = null, anyone, dryRun, remote = null, repository = null } = argv;
  const wanted = { runName, anyone, dryRun, remote, repository, notify };
  const result = await collectFeedback(options, resolvePaths(options), wanted);
  if (argv.json) await printJson({ version: 1, ...result });
  else await printText(textOf(result));
  const hasFailed = result.workstreams.some(({ action }) => action === 'failed');
  return hasFailed || result.problems.length > 0 ? 1 : 0;
}

const WORDS: Record<FeedbackRow['action'], string> = {
  kept: 'kept',
  unchanged: 'known already',
  'nothing-said': 'nothing to act on',
  'no-pull-request': 'no open pull request',
  failed: 'failed',
};

function textOf({ runId, dryRun, workstreams, problems }: FeedbackResult): string {
  const rows = workstreams.map(({ workstreamId, pull, action, remarks, detail }) => [
    workstreamId,
    pull === null ? null : `#${pull}`,
    remarks,
    dryRun && action === 'kept' ? 'would be kept' : WORDS[action],
    detail ?? '',
  ]);
  const told = workstreams.filter(({ text }) => text !== null).map(({ workstreamId }) => workstreamId);
  const texts = dryRun
    ? workstreams.flatMap(({ workstreamId, text }) => (text === null ? [] : ['', `${workstreamId}:`, text]))
    : [];
  const next =
    told.length === 0 || dryRun
      ? []
      : [
          '',
          `The next run of ${nameSome(told)} is told. Run it with: millrace run ${told.slice(0, 5).join(' ')}`,
        ];
  return [
    `Pull requests of ${runId}:`,
    '',
    table(['workstream', 'number', 'remarks', '', ''], rows),
    ...texts,
    ...next,
    ...problems.map((problem) => oneLine(problem, 500)),
  ].join('\n');
}
