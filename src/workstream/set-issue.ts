/** Writes the number of an issue into the text of a workstream file; everything else of it stays, comments too. */
import { applyEdits, modify } from 'jsonc-parser';
import { isObject, type Json } from '../domain/json.ts';
import { parse } from './parse.ts';

/** The field that names the issue of a workstream. */
const FIELD = 'ccpm_issue';

/** A definition of a file, by its position there. */
export interface NumberedDefinition {
  position: number;
  number: number;
}

/**
 * The text of a file with these numbers as `ccpm_issue`, each after the first field of its definition. The same text where
 * they are there already. Null where that can't be done without changing more.
 */
export function withIssueNumbers(text: string, definitions: readonly NumberedDefinition[]): string | null {
  const before = parse(text);
  if (!before.ok) return null;
  const inArray = Array.isArray(before.value);
  if (definitions.some(({ position }) => !isObject(definitionAt(before.value, position)))) return null;
  const wanted = definitions.filter(({ position, number }) => fieldOf(before.value, position) !== number);
  let edited = text;
  // From the end on, so that the places of those before stay.
  for (const { position, number } of wanted.toSorted((a, b) => b.position - a.position)) {
    const path = inArray ? [position, FIELD] : [FIELD];
    const edits = modify(edited, path, number, {
      formattingOptions: formatOf(text),
      getInsertionIndex: (properties) => Math.min(1, properties.length),
    });
    edited = applyEdits(edited, edits);
  }
  const after = parse(edited);
  return after.ok && sameBeside(before.value, after.value, wanted) ? edited : null;
}

const definitionAt = (value: Json, position: number): Json | undefined =>
  Array.isArray(value) ? value[position] : value;

function fieldOf(value: Json, position: number): Json | undefined {
  const definition = definitionAt(value, position);
  return isObject(definition) ? definition[FIELD] : undefined;
}

/** Whether nothing but these numbers differs, by the values. */
function sameBeside(before: Json, after: Json, wanted: readonly NumberedDefinition[]): boolean {
  const copy: Json = structuredClone(before);
  for (const { position, number } of wanted) {
    const definition = definitionAt(copy, position);
    if (!isObject(definition)) return false;
    definition[FIELD] = number;
  }
  return JSON.stringify(sorted(copy)) === JSON.stringify(sorted(after));
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([name, child]) => [name, sorted(child)]);
}

/** How the file is indented and where its lines end. */
function formatOf(text: string): { insertSpaces: boolean; tabSize: number; eol: string } {
  const [, indent = '  '] = /\n([ \t]+)["/]/.exec(text) ?? [];
  return {
    insertSpaces: !indent.startsWith('\t'),
    tabSize: indent.startsWith('\t') ? 1 : Math.min(indent.length, 8),
    eol: text.includes('\r\n') ? '\r\n' : '\n',
  };
}
