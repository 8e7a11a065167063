/** Reads the results of tests from a text, whose format is detected by its content. */
import type { ParsedTests, ParseTests } from './formats/format.ts';

/** One format of test results. */
interface Format {
  name: string;
  /** Whether it is worth loading the parser; may be true for a text of another format. */
  mark: RegExp;
  load: () => Promise<ParseTests>;
}

/** In the order in which they are tried: what is made for machines comes before what is made for people. */
const FORMATS: readonly Format[] = [
  {
    name: 'jest-json',
    mark: /"numTotalTests"/,
    load: async () => (await import('./formats/test-json.ts')).parseTestJson,
  },
  {
    name: 'go-json',
    mark: /^\{.*"Action":"/m,
    load: async () => (await import('./formats/go.ts')).parseGoJson,
  },
  {
    name: 'junit',
    mark: /<testsuites?[\s/>]/,
    load: async () => (await import('./formats/junit.ts')).parseJunit,
  },
  {
    name: 'tap',
    mark: /^(?:TAP version 1[34]|1\.\.\d+)\s*(?:#.*)?$/m,
    load: async () => (await import('./formats/tap.ts')).parseTap,
  },
  {
    name: 'pytest',
    mark: / in [\d.]+s/,
    load: async () => (await import('./formats/pytest.ts')).parsePytest,
  },
  {
    name: 'cargo',
    mark: /^(?:test result: |running \d+ tests?$)/m,
    load: async () => (await import('./formats/cargo.ts')).parseCargo,
  },
  {
    name: 'go',
    mark: /^(?:ok {2}|FAIL|\? {3})\t|^ *--- (?:PASS|FAIL|SKIP): /m,
    load: async () => (await import('./formats/go.ts')).parseGo,
  },
  {
    name: 'node-test',
    mark: /^ℹ tests \d/m,
    load: async () => (await import('./formats/node-test.ts')).parseNodeTest,
  },
  {
    name: 'vitest',
    mark: /^ +Tests +(?:\d|no tests)|^No test files found/m,
    load: async () => (await import('./formats/vitest.ts')).parseVitest,
  },
  {
    name: 'jest',
    mark: /^Tests: +.*\d total|^No tests found/m,
    load: async () => (await import('./formats/jest.ts')).parseJest,
  },
  {
    name: 'tap',
    mark: /^(?:not )?ok 1 *(?:(?:-|#) .*)?$/m,
    load: async () => (await import('./formats/tap.ts')).parseBareTap,
  },
];

export interface FoundTests extends ParsedTests {
  format: string;
}

/**
 * The first format that the text is of; null for none. Never throws, whatever the text is.
 * @param isWhole whether it is all that was printed, and not only its end.
 */
export async function readTests(text: string, isWhole = true): Promise<FoundTests | null> {
  const clean = withoutEscapes(text);
  for (const { name, mark, load } of FORMATS) {
    if (!mark.test(clean)) continue;
    const parse = await load();
    const found = parsed(parse, clean, isWhole);
    if (found !== null) return { format: name, ...found };
  }
  return null;
}

/** A library throws at a text that only looks like its format; then it is of another one, or of none. */
function parsed(parse: ParseTests, text: string, isWhole: boolean): ParsedTests | null {
  try {
    return parse(text, isWhole);
  } catch {
    return null;
  }
}

/** Colours and links of terminals; each pattern ends before the next escape can begin. */
const ESCAPES =
  // oxlint-disable-next-line no-control-regex
  /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\^_])/g;

function withoutEscapes(text: string): string {
  const plain = text.includes('\u001b') ? text.replace(ESCAPES, '') : text;
  return plain.includes('\r') ? plain.replaceAll('\r\n', '\n') : plain;
}
