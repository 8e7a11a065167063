import { createInterface } from 'node:readline';
import { type MessageGroup, MessageGroups } from '../../analysis/patterns/group-messages.ts';
import { allPatterns, type PatternOfRuns } from '../../store/read/patterns.ts';
import { plural } from '../../text/format.ts';
import { escapeControls } from '../../text/printable.ts';
import type { PatternsArguments } from '../commands/patterns.ts';
import { withHistory } from '../history.ts';
import { printPage } from '../page.ts';
import { valueTexts } from '../pattern-text.ts';
import { printEach } from '../standard-output.ts';

/** Most patterns in a table. */
const ROWS = 100;

/** Shows the patterns of the database, or those of the messages on standard input. */
export async function patterns(argv: PatternsArguments): Promise<number> {
  return argv.stdin ? patternsOfInput(argv) : patternsOfRuns(argv);
}

// ── Of the database ──

async function patternsOfRuns(argv: PatternsArguments): Promise<number> {
  return withHistory(argv.state, async (connection) => {
    const all = connection === null ? [] : allPatterns(connection);
    const errors = all.reduce((sum, { count }) => sum + count, 0);
    const answer =
      all.length === 0
        ? 'No run has had an error.'
        : `${plural(errors, 'error')} of all runs in ${plural(all.length, 'pattern')}.`;
    const head = ['pattern', 'count', 'workstreams', 'first seen', 'last seen', 'error'];
    const rows = all.slice(0, ROWS).map(rowOf);
    await printPage(
      argv,
      { answer, sections: [{ title: null, head, rows, total: all.length }] },
      { version: 1, patterns: all },
    );
    return 0;
  });
}

const rowOf = ({ id, count, workstreams, firstSeen, lastSeen, type, pattern }: PatternOfRuns) => [
  id,
  count,
  workstreams,
  firstSeen,
  lastSeen,
  `${type}: ${pattern}`,
];

// ── Of standard input ──

async function patternsOfInput(argv: PatternsArguments): Promise<number> {
  const isJson = argv.json || argv.format === 'json';
  const messages = new MessageGroups({ keepsLines: !isJson });
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY }))
    messages.add(messageIn(line));
  const { groups, ofMessages, valuesOfFirst } = messages.result();
  if (isJson) await printEach(jsonLines(ofMessages()));
  else {
    const answer = `${plural(
      groups.reduce((sum, { count }) => sum + count, 0),
      'message',
    )} in ${plural(groups.length, 'pattern')}.`;
    const head = ['pattern', 'count', 'template', 'values'];
    const rows = groups
      .slice(0, ROWS)
      .map(({ id, count, template, values }) => [id, count, template, valueTexts(values).join('; ')]);
    const notes =
      valuesOfFirst === null ? [] : [`The values are those of the first ${valuesOfFirst} messages.`];
    const sections = [{ title: null, notes, head, rows, total: groups.length }];
    await printPage(argv, { answer, sections }, {});
  }
  return 0;
}

/** A line that is a JSON object with a message is that message, with its line breaks. */
function messageIn(line: string): string {
  if (!line.startsWith('{')) return line;
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null || !('message' in value)) return line;
    return typeof value.message === 'string' ? value.message : line;
  } catch {
    // Text that only begins like JSON.
    return line;
  }
}

/** One line for each message. */
function* jsonLines(groups: Iterable<MessageGroup>): Generator<string, void, undefined> {
  const lines = new Map<MessageGroup, string>();
  for (const group of groups) {
    let line = lines.get(group);
    if (line === undefined) {
      line = `${escapeControls(JSON.stringify({ pattern_id: group.id, template: group.template }))}\n`;
      lines.set(group, line);
    }
    yield line;
  }
}
