import { escapeControls } from './escape-controls.ts';

/** A value as indented JSON, ended by a line feed, on which no terminal acts. All texts are kept whole. */
export const printableJson = (value: unknown): string =>
  `${escapeControls(JSON.stringify(value, null, 2))}\n`;
