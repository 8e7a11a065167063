import type { RunDocument } from '../domain/run-record.ts';
import { escapeControls } from '../support/escape-controls.ts';

/** The document as indented JSON, ended by a line feed. All values are kept whole; invisible characters are escaped. */
export function jsonReport(document: RunDocument): string {
  return `${escapeControls(JSON.stringify(document, null, 2))}\n`;
}
