import { openPulls, type PullsResult } from '../../app/github/pull-requests.ts';
import { parseOptions } from '../../app/options.ts';
import { resolvePaths } from '../../app/paths.ts';
import { plural } from '../../text/format.ts';
import { oneLine } from '../../text/printable.ts';
import type { PrArguments } from '../commands/pr.ts';
import { readProject } from '../config.ts';
import { endOnSignals } from '../end-on-signals.ts';
import { notify, printJson, printText, table } from '../print.ts';
import { UsageError } from '../usage-error.ts';

/** Exit code 1 where one failed. @throws UsageError, Refusal */
export async function pr(argv: PrArguments): Promise<number> {
  if (argv.each && argv.one) throw new UsageError('--each and --one exclude each other.');
  endOnSignals();
  const project = await readProject(process.cwd());
  const { workstreams, state, reports } = argv;
  const { options } = parseOptions({ project, workstreams, state, reports });
  const { run: runName = null, one, base = null, dryRun, remote = null, repository = null } = argv;
  const wanted = { runName, one, base, dryRun, remote, repository, notify };
  const result = await openPulls(options, resolvePaths(options), wanted);
  if (argv.json) await printJson({ version: 1, ...result });
  else await printText(textOf(result));
  const hasFailed = result.pulls.some(({ action }) => action === 'failed');
  return hasFailed || result.problems.length > 0 ? 1 : 0;
}

function textOf({ runId, base, dryRun, pulls, problems }: PullsResult): string {
  const count = (wanted: string): number => pulls.filter(({ action }) => action === wanted).length;
  const failed = pulls.filter(({ action }) => action === 'failed');
  const rows = pulls
    .filter(({ action }) => action !== 'failed')
    .map(({ subject, number, action, url, detail }) => [
      subject,
      number === null ? null : `#${number}`,
      dryRun && action === 'created' ? 'would be created' : action,
      detail ?? url,
    ]);
  const head = `${plural(pulls.length, 'pull request')} of ${runId} into ${base}: ${count('created')} created, ${count('updated')} updated, ${count('unchanged')} unchanged, ${count('failed')} failed.${dryRun ? ' Nothing was written.' : ''}`;
  return [
    head,
    ...(rows.length === 0 ? [] : ['', table(['work', 'number', '', ''], rows)]),
    ...(failed.length === 0 ? [] : ['', 'Failed:']),
    ...failed.map(({ subject, detail }) => `  ${subject}: ${oneLine(detail ?? '', 500)}`),
    ...problems.map((problem) => oneLine(problem, 500)),
  ].join('\n');
}
