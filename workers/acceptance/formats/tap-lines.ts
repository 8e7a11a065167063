import { linesOf } from './lines.ts';

/** Most lines that are handed to the parser: about a second of its time. */
const MAX_LINES = 300_000;

/** Most lines of one YAML block. */
const MAX_YAML_LINES = 100;

/** A line that TAP gives a meaning. */
const MEANS =
  /^\s*(?:TAP version \d|\d+\.\.\d|(?:not )?ok\b|Bail out!|\}\s*$|# (?:Subtest|tests|suites|pass|fail)\b)/;

export interface TapLines {
  text: string;
  /** False where there were more than are handed on. */
  isWhole: boolean;
}

/** What of a text is TAP; all the rest, which TAP allows between its lines, would only cost time. */
export function tapLines(text: string): TapLines {
  const kept: string[] = [];
  let yaml: { end: string; lines: number } | null = null;
  for (const line of linesOf(text)) {
    if (kept.length >= MAX_LINES) return { text: kept.join('\n'), isWhole: false };
    const start = /^( +)---\s*$/.exec(line);
    if (yaml !== null) {
      yaml.lines += 1;
      const isEnd = line.trimEnd() === yaml.end;
      if (isEnd || yaml.lines <= MAX_YAML_LINES) kept.push(line);
      if (isEnd) yaml = null;
    } else if (start !== null && /^\s*(?:not )?ok\b/.test(kept.at(-1) ?? '')) {
      yaml = { end: `${start[1] ?? ''}...`, lines: 0 };
      kept.push(line);
    } else if (MEANS.test(line)) kept.push(line);
  }
  return { text: `${kept.join('\n')}\n`, isWhole: true };
}
