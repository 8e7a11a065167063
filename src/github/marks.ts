/**
 * The part of a text on GitHub that is Millrace's: between two comments that are not shown. What people wrote around it
 * stays as it is, and by the first of the comments an issue or a pull request is found again.
 */
import { createHash } from 'node:crypto';

/** A part of ours in a text. */
export interface MarkedPart {
  /** Id of a workstream or a run. */
  subject: string;
  /** What the mark says beside the id, such as the hash of a title. */
  fields: Record<string, string>;
  content: string;
  /** Where the first comment begins and the last one ends. */
  start: number;
  end: number;
}

const OPENING = /<!-- millrace:([a-z0-9][a-z0-9-]{0,120})((?: [a-z]+=[\w-]*)*) -->\r?\n?/g;

/** Text that came from elsewhere must not look like one of ours. */
const MARK = /<!--(?=\s*\/?millrace:)/g;

const closing = (subject: string): string => `<!-- /millrace:${subject} -->`;

/** Every part of ours in a text, in order. One without an end is none. */
export function blocksIn(text: string): MarkedPart[] {
  const blocks: MarkedPart[] = [];
  let from = 0;
  for (const match of text.matchAll(OPENING)) {
    const [opening, subject = '', fields = ''] = match;
    if (match.index < from) continue;
    const end = closing(subject);
    const closed = text.indexOf(end, match.index);
    if (closed === -1) continue;
    from = closed + end.length;
    const content = text
      .slice(match.index + opening.length, closed)
      .replaceAll('\r\n', '\n')
      .trimEnd();
    blocks.push({ subject, fields: parseFields(fields), content, start: match.index, end: from });
  }
  return blocks;
}

const parseFields = (text: string): Record<string, string> =>
  Object.fromEntries(
    text
      .trim()
      .split(' ')
      .flatMap((pair) => {
        const [name = '', value = ''] = pair.split('=');
        return name === '' ? [] : [[name, value]];
      }),
  );

/** Longest text that GitHub takes, in characters. */
const LONGEST = 65_536;

/**
 * The text with this content as the part of a subject, in place of the one it had or at the end. Where it would be longer
 * than GitHub takes, the content is cut at the end of a line.
 */
export function withBlock(
  text: string,
  { subject, fields, content }: Pick<MarkedPart, 'subject' | 'fields' | 'content'>,
): string {
  const old = blocksIn(text).find((block) => block.subject === subject);
  const before = old === undefined ? separated(text) : text.slice(0, old.start);
  const after = old === undefined ? '' : text.slice(old.end);
  const words = Object.entries(fields).map(([name, value]) => ` ${name}=${value}`);
  const opening = `<!-- millrace:${subject}${words.join('')} -->\n`;
  const end = `\n${closing(subject)}`;
  const room = LONGEST - before.length - after.length - opening.length - end.length;
  return `${before}${opening}${cut(content.trimEnd().replaceAll(MARK, '<!- -'), room)}${end}${after}`;
}

const separated = (text: string): string => (text.trim() === '' ? '' : `${text.trimEnd()}\n\n`);

const CUT = '\n\n…';

function cut(content: string, room: number): string {
  if (content.length <= room) return content;
  const whole = content.slice(0, Math.max(0, room - CUT.length));
  return whole.slice(0, Math.max(0, whole.lastIndexOf('\n'))) + CUT;
}

/** What tells two texts apart, short enough for a mark. */
export const shortHash = (text: string): string =>
  createHash('sha256').update(text).digest('hex').slice(0, 12);
