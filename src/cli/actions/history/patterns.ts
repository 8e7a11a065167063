import {
  MessageGroups,
  type MessagePattern,
  MessageShapes,
  patternOfShape,
  type ShapeNote,
} from '../../../analysis/patterns/group-messages.ts';
import type { PatternOfRuns, PatternsDocument } from '../../../domain/history/pattern.ts';
import { LineStore, linesOf } from '../../../os/lines.ts';
import { allPatterns } from '../../../store/read/patterns.ts';
import { plural } from '../../../text/format.ts';
import { escapeControls } from '../../../text/printable.ts';
import type { PatternsArguments } from '../../commands/history/patterns.ts';
import { withHistory } from '../../history.ts';
import { printPage } from '../../page.ts';
import { valueTexts } from '../../pattern-text.ts';
import { printEach } from '../../standard-output.ts';

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
    await printPage(argv, { answer, sections: [{ title: null, head, rows, total: all.length }] }, {
      version: 1,
      patterns: all,
    } satisfies PatternsDocument);
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
  if (argv.json || argv.format === 'json') await printEachPattern();
  else await printGroups(argv);
  return 0;
}

/** For each message its pattern, a line each. */
async function printEachPattern(): Promise<void> {
  const shapes = new MessageShapes();
  const notes = new LineStore();
  try {
    for await (const lines of linesOf(process.stdin))
      for (const line of lines) notes.add(noteText(shapes.add(messageIn(line))));
    const ofNumbers: string[] = [];
    for (const { members, ...pattern } of shapes.merged())
      for (const member of members) ofNumbers[member] = jsonLine(pattern);
    for await (const some of notes.read()) await printEach(some.map((note) => lineOf(note, ofNumbers)));
  } finally {
    notes.close();
  }
}

const SHAPE = '=';

const noteText = (note: ShapeNote): string => (typeof note === 'number' ? String(note) : SHAPE + note);

const lineOf = (note: string, ofNumbers: readonly string[]): string =>
  note.startsWith(SHAPE)
    ? jsonLine(patternOfShape(note.slice(SHAPE.length)))
    : (ofNumbers[Number(note)] ?? '');

const jsonLine = ({ id, template }: MessagePattern): string =>
  `${escapeControls(JSON.stringify({ pattern_id: id, template }))}\n`;

async function printGroups(argv: PatternsArguments): Promise<void> {
  const messages = new MessageGroups({ listed: ROWS });
  for await (const lines of linesOf(process.stdin)) for (const line of lines) messages.add(messageIn(line));
  const { messages: count, total, groups, valuesOfFirst } = messages.result();
  const answer = `${plural(count, 'message')} in ${plural(total, 'pattern')}.`;
  const head = ['pattern', 'count', 'template', 'values'];
  const rows = groups.map((group) => [
    group.id,
    group.count,
    group.template,
    valueTexts(group.values).join('; '),
  ]);
  const notes =
    valuesOfFirst === null ? [] : [`The values are those of the first ${valuesOfFirst} messages.`];
  await printPage(argv, { answer, sections: [{ title: null, notes, head, rows, total }] }, {});
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
