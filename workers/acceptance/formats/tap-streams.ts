/** Takes an output apart into the streams of TAP in it, one for each program that printed one. */
import { linesOf } from './lines.ts';

/** Most lines that are handed to the parser: about a second of its time. */
const MAX_LINES = 300_000;

/** Most lines of one YAML block. */
const MAX_YAML_LINES = 100;

/** A line that TAP gives a meaning. */
const MEANS =
  /^\s*(?:TAP version \d|\d+\.\.\d|(?:not )?ok\b|Bail out!|\}\s*$|# (?:Subtest|tests|suites|pass|fail)\b)/;

/** What `prove -v` prints before the output of a program, and at its end when nothing was wrong. */
const PROVE = /^(\S.*?) \.{2,} *(?:skipped: (.*))?$/;
const PROVE_OK = 'ok';

const VERSION = /^TAP version 1[34]\s*$/;
const PLAN = /^1\.\.\d+/;
const FIRST = /^(?:not )?ok 1\b/;
const POINT = /^(?:not )?ok\b/;

export interface TapStream {
  /** The program, where that is known. */
  name: string;
  text: string;
  hasPlan: boolean;
}

export interface TapStreams {
  streams: TapStream[];
  /** False where there were more lines than are handed on. */
  isWhole: boolean;
}

/**
 * What of a text is TAP; all the rest, which TAP allows between its lines, would only cost time. A stream ends where
 * another version or plan is given, or where the numbers begin again.
 */
export function tapStreams(text: string): TapStreams {
  const splitter = new Splitter(/^\S.*? \.{2,} *$/m.test(text) && /^Result: \w+$/m.test(text));
  for (const line of linesOf(text)) if (!splitter.take(line)) break;
  return splitter.end();
}

class Splitter {
  readonly #isProve: boolean;
  readonly #streams: TapStream[] = [];
  #name = '';
  #kept: string[] = [];
  #count = 0;
  #hasVersion = false;
  #hasPlan = false;
  #hasPoint = false;
  #yaml: { end: string; lines: number } | null = null;

  constructor(isProve: boolean) {
    this.#isProve = isProve;
  }

  /** False when no more are taken. */
  take(line: string): boolean {
    if (this.#count >= MAX_LINES) return false;
    if (this.#yaml !== null) this.#takeYaml(line, this.#yaml);
    else this.#takeLine(line);
    return true;
  }

  end(): TapStreams {
    this.#close();
    return { streams: this.#streams, isWhole: this.#count < MAX_LINES };
  }

  #takeYaml(line: string, yaml: { end: string; lines: number }): void {
    yaml.lines += 1;
    const isEnd = line.trimEnd() === yaml.end;
    if (isEnd || yaml.lines <= MAX_YAML_LINES) this.#keep(line);
    if (isEnd) this.#yaml = null;
  }

  #takeLine(line: string): void {
    const start = /^( +)---\s*$/.exec(line);
    const program = this.#isProve ? PROVE.exec(line) : null;
    if (start !== null && /^\s*(?:not )?ok\b/.test(this.#kept.at(-1) ?? '')) {
      this.#yaml = { end: `${start[1] ?? ''}...`, lines: 0 };
      this.#keep(line);
    } else if (program !== null) {
      this.#close();
      this.#name = program[1] ?? '';
      if (program[2] !== undefined) this.#takeTap(`1..0 # SKIP ${program[2]}`);
    } else if (MEANS.test(line) && !(this.#isProve && line === PROVE_OK)) this.#takeTap(line);
  }

  #takeTap(line: string): void {
    const isVersion = VERSION.test(line);
    const isPlan = PLAN.test(line);
    const beginsAnew =
      (isVersion && (this.#hasVersion || this.#hasPoint || this.#hasPlan)) ||
      (isPlan && this.#hasPlan) ||
      (FIRST.test(line) && this.#hasPoint);
    if (beginsAnew) this.#close();
    this.#hasVersion ||= isVersion;
    this.#hasPlan ||= isPlan;
    this.#hasPoint ||= POINT.test(line);
    this.#keep(line);
  }

  #keep(line: string): void {
    this.#kept.push(line);
    this.#count += 1;
  }

  #close(): void {
    if (this.#kept.length > 0) {
      const text = `${this.#kept.join('\n')}\n`;
      this.#streams.push({ name: this.#name, text, hasPlan: this.#hasPlan });
    }
    this.#kept = [];
    this.#name = '';
    this.#hasVersion = false;
    this.#hasPlan = false;
    this.#hasPoint = false;
  }
}
