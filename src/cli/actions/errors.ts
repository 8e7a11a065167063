import { Refusal } from '../../app/refusal.ts';
import type { ErrorPattern } from '../../domain/history/pattern.ts';
import { errorPatterns } from '../../store/read/errors.ts';
import { plural } from '../../text/format.ts';
import { oneLine, printable } from '../../text/printable.ts';
import type { ErrorsArguments } from '../commands/errors.ts';
import { withRun } from '../history.ts';
import { historyLength } from '../options.ts';
import { placesText, valueTexts } from '../pattern-text.ts';
import { printJson, printText } from '../print.ts';

const PATTERNS = 100;
const SHOWN = 5;

/** Shows the errors of a run, the most frequent pattern first, each with one whole example. */
export async function errors(argv: ErrorsArguments): Promise<number> {
  const length = historyLength(argv.last);
  if (argv.history !== undefined) {
    const { errorHistory } = await import('./history/error-history.ts');
    return errorHistory(argv, { named: argv.history, length });
  }
  if (argv.format === 'md')
    throw new Refusal(
      2,
      '--format md is for --history. For the report of a run: millrace report RUN --format md',
    );
  const isJson = argv.json || argv.format === 'json';
  return withRun(argv.state, argv.run, async (connection, run) => {
    const patterns = errorPatterns(connection, run.runId, PATTERNS).shown;
    if (isJson) await printJson({ version: 1, run_id: run.runId, errors: patterns });
    else
      await printText(
        patterns.length === 0 ? `${run.runId} has no errors.` : patterns.map(text).join('\n\n'),
      );
    return 0;
  });
}

function text({
  id,
  type,
  pattern,
  telling,
  count,
  workstreams,
  values,
  places,
  example,
}: ErrorPattern): string {
  const shown = workstreams.slice(0, SHOWN).map((name) => oneLine(name, 100));
  const more = count > shown.length ? ` and ${count - shown.length} more` : '';
  const lines = [
    `${count} × ${type} in ${shown.join(', ')}${more} (${id})`,
    ...(count > 1 ? [`  ${oneLine(pattern, 300)}`] : []),
    ...valueTexts(values).map((text) => `  <*>: ${text}`),
    ...(places.length === 0 ? [] : [`  at ${placesText(places)}`]),
    ...(count > 1 ? [`  for example ${oneLine(example.workstreamId, 100)}:`] : []),
    indent(printable(example.message)),
    ...(example.message.includes(telling) ? [] : [`  ${oneLine(telling, 300)}`]),
    ...(example.tail === null ? [] : ['  last output:', indent(indent(lastLines(example.tail)))]),
    ...(example.stack === null ? [] : [indent(firstLines(example.stack))]),
    ...(example.logFile === null ? [] : [`  log: ${oneLine(example.logFile, 1_000)}`]),
  ];
  return lines.join('\n');
}

/** The end of an output, short enough for a screen. */
function lastLines(block: string): string {
  const lines = printable(block).trimEnd().split('\n');
  const cut = lines.slice(-10).map((line) => oneLine(line, 200));
  return lines.length > cut.length
    ? `(${plural(lines.length - cut.length, 'line')} before)\n${cut.join('\n')}`
    : cut.join('\n');
}

const indent = (block: string): string => block.replaceAll(/^/gm, '  ');

/** The begin of a stack: where it was thrown. */
function firstLines(stack: string): string {
  const lines = printable(stack).trimEnd().split('\n');
  return lines
    .slice(0, 6)
    .map((line) => oneLine(line, 200))
    .join('\n');
}
