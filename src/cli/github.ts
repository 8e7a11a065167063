import type { ConsolidatedResult } from '../domain/run-record.ts';
import { writeRegular } from '../os/regular-file.ts';
import { githubAnnotations, githubSummary } from '../report/github.ts';
import { messageOf } from '../text/error-message.ts';

/**
 * Under GitHub Actions, adds a summary to the job's page and an annotation for each failure. Annotations go to
 * standard error, which Actions reads too, because standard output is the log.
 */
export function reportToGithub(result: ConsolidatedResult, env: NodeJS.ProcessEnv): void {
  if (env['GITHUB_ACTIONS'] !== 'true') return;
  for (const line of githubAnnotations(result)) process.stderr.write(`${line}\n`);
  const file = env['GITHUB_STEP_SUMMARY'];
  if (file === undefined || file === '') return;
  try {
    writeRegular(file, githubSummary(result), { append: true });
  } catch (error) {
    const why = messageOf(error);
    process.stderr.write(`millrace: The summary for GitHub could not be written to ${file}: ${why}\n`);
  }
}
