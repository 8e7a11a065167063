/**
 * What JSON allows to stand in a text as it is and a terminal or a reader of lines would act on: C1 controls, line
 * separators, bidirectional overrides, zero-width marks, lone surrogates, and what is no character.
 */
const ACTIVE =
  /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** By which a line tells GitHub Actions or Azure Pipelines to do something, wherever it stands. */
const CI_COMMAND = /#(?=#(?:vso)?\[)/g;

/** The same JSON with such characters as escapes. They can only stand inside of texts, so its value stays the same. */
export function escapeControls(json: string): string {
  const safe = json.replace(ACTIVE, escaped);
  return safe.includes('##') ? safe.replace(CI_COMMAND, escaped) : safe;
}

const escaped = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
