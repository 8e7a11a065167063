import type { RunDocument } from '../domain/run-record.ts';

/** Control characters that JSON leaves as they are and a terminal would act on, and marks that change directions. */
const UNESCAPED = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** The document as indented JSON, ended by a line feed. All values are kept whole; invisible characters are escaped. */
export function jsonReport(document: RunDocument): string {
  const json = JSON.stringify(document, null, 2);
  return `${json.replaceAll(UNESCAPED, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`;
}
