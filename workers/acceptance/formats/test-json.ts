import { type Fields, isFields } from '../../../src/domain/json.ts';
import { CaseList, fieldsOf, listOf, numberOf, type ParsedTests, textOf } from './format.ts';

/** The field by which the document is found; all fields before it are numbers. */
const MARK = '"numTotalTests"';

/** The JSON of jest and vitest: a document of its own, or a part of what was printed. The last one counts. */
export function parseTestJson(text: string): ParsedTests | null {
  const mark = text.lastIndexOf(MARK);
  const start = mark === -1 ? -1 : text.lastIndexOf('{', mark);
  if (start === -1) return null;
  const end = endOfObject(text, start);
  if (end === -1) return null;
  const document: unknown = JSON.parse(text.slice(start, end));
  if (!isFields(document) || !Array.isArray(document['testResults'])) return null;
  const list = new CaseList();
  for (const file of document['testResults']) addFile(fieldsOf(file), list);
  return { counts: list.counts, cases: list.cases };
}

function addFile(file: Fields, list: CaseList): void {
  const suite = textOf(file['name']);
  const results = listOf(file['assertionResults']);
  for (const result of results) addResult(fieldsOf(result), suite, list);
  const isExplained = results.some((result) => fieldsOf(result)['status'] === 'failed');
  if (!isExplained && file['status'] === 'failed') {
    list.add({
      suite,
      name: 'the file could not be run',
      status: 'failed',
      message: textOf(file['message']),
    });
  }
}

function addResult(result: Fields, suite: string, list: CaseList): void {
  const { status } = result;
  const milliseconds = numberOf(result['duration']);
  list.add({
    suite,
    name: [...listOf(result['ancestorTitles']), result['title']].map(textOf).join(' > '),
    status: status === 'passed' || status === 'failed' ? status : 'skipped',
    durationSeconds: milliseconds === null ? null : milliseconds / 1000,
    message: listOf(result['failureMessages']).map(textOf).join('\n'),
  });
}

/** The index behind the object that begins at `start`; -1 where it has no end. */
function endOfObject(text: string, start: number): number {
  let depth = 0;
  const token = /["{}]/g;
  token.lastIndex = start;
  for (let found = token.exec(text); found !== null; found = token.exec(text)) {
    if (found[0] === '{') depth += 1;
    else if (found[0] === '}') depth -= 1;
    else token.lastIndex = endOfString(text, found.index);
    if (depth === 0) return found.index + 1;
    if (token.lastIndex === 0) return -1;
  }
  return -1;
}

/** The index behind the string whose quote is at `start`; 0 where it has no end. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let escapes = end;
    while (text[escapes - 1] === '\\') escapes -= 1;
    if ((end - escapes) % 2 === 0) return end + 1;
  }
  return 0;
}
