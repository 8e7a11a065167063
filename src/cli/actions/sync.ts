import { type SyncResult, sync as syncFolder } from '../../app/github/sync.ts';
import { parseOptions } from '../../app/options.ts';
import { checkFolders, resolvePaths } from '../../app/paths.ts';
import { branchSentence, issuesSentence } from '../../report/sync-report.ts';
import { shownPath } from '../../text/format.ts';
import { oneLine } from '../../text/printable.ts';
import type { SyncArguments } from '../commands/sync.ts';
import { readProject } from '../config.ts';
import { endOnSignals } from '../end-on-signals.ts';
import { notify, printJson, printText } from '../print.ts';
import { UsageError } from '../usage-error.ts';

/** Exit code 1 where something failed, also where a file has problems. @throws UsageError, Refusal */
export async function sync(argv: SyncArguments): Promise<number> {
  if (argv.write && !argv.issues) throw new UsageError('--write writes the numbers of issues: add --issues.');
  endOnSignals();
  const project = await readProject(process.cwd());
  const { workstreams, state, reports } = argv;
  const { options } = parseOptions({ project, workstreams, state, reports });
  const paths = resolvePaths(options);
  if (!argv.dryRun) checkFolders(paths);
  const { issues, write, dryRun, remote = null, repository = null } = argv;
  const result = await syncFolder(options, paths, { issues, write, dryRun, remote, repository, notify });
  if (argv.json) await printJson({ version: 1, ...result });
  else await printText(textOf(result));
  return hasFailed(result) ? 1 : 0;
}

function hasFailed({ branch, files, issues, problems }: SyncResult): boolean {
  return (
    problems.length > 0 ||
    branch === null ||
    branch.state === 'not-pushed' ||
    files.some((file) => file.problems.length > 0) ||
    (issues ?? []).some(({ action }) => action === 'failed')
  );
}

/** Most lines of one kind; --json has all. */
const SHOWN = 100;

/** Failures come last. */
function textOf(result: SyncResult): string {
  const { files, issues, problems, report } = result;
  const broken = files.filter((file) => file.problems.length > 0);
  const failedIssues = (issues ?? []).filter(({ action }) => action === 'failed');
  const lines = [
    branchSentence(result),
    ...(issues === null ? [] : [issuesSentence(issues)]),
    ...(report === null ? [] : [`Report: ${shownPath(process.cwd(), report)}`]),
    ...section(
      `${broken.length} of ${files.length} files have problems:`,
      broken.map(({ file, problems: [first = '', ...more] }) => {
        const rest = more.length === 0 ? '' : ` (and ${more.length} more: millrace validate)`;
        return `${file}: ${oneLine(first, 300)}${rest}`;
      }),
    ),
    ...section(
      'Issues that failed:',
      failedIssues.map(({ subject, detail }) => `${subject}: ${oneLine(detail ?? '', 300)}`),
    ),
    ...section(
      'Problems:',
      problems.map((problem) => oneLine(problem, 500)),
    ),
  ];
  return lines.join('\n');
}

function section(head: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  const left = lines.length - SHOWN;
  const more = left > 0 ? [`  and ${left} more; --json names all`] : [];
  return ['', head, ...lines.slice(0, SHOWN).map((line) => `  ${line}`), ...more];
}
