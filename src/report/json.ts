import type { RunDocument } from '../domain/run-record.ts';
import { printableJson } from '../support/printable-json.ts';

/** The document as indented JSON, ended by a line feed. All values are kept whole; invisible characters are escaped. */
export const jsonReport = (document: RunDocument): string => printableJson(document);
