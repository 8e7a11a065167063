/** Recognises the most common form of a definition without the schema, which takes most of the time of loading. */
import type { Json, JsonObject } from '../domain/json.ts';
import { isLine, isWorkstreamId, MAX_ELEMENTS, type WorkstreamFile } from '../domain/workstream-file.ts';
import { isObject } from './json-value.ts';

/** Begins a reference to the matrix, which the rules have to check. */
const REFERENCE = '${{';

/**
 * Whether it has nothing but an id, texts, dependencies by id, and steps that are one module or one line for the
 * shell. The schema and all rules find nothing wrong with a plain definition, and leave it unchanged.
 */
export function isPlain(raw: JsonObject): raw is JsonObject & WorkstreamFile {
  for (const name of Object.keys(raw)) {
    const value = raw[name];
    switch (name) {
      case 'id':
        if (!isWorkstreamId(value)) return false;
        break;
      case 'title':
      case 'description':
        if (typeof value !== 'string' || value.includes(REFERENCE)) return false;
        break;
      case 'depends_on':
        if (!isListOf(value, isLine)) return false;
        break;
      case 'steps':
        if (!isListOf(value, isPlainStep) || value.length === 0) return false;
        break;
      default:
        return false;
    }
  }
  return Object.hasOwn(raw, 'id') && Object.hasOwn(raw, 'steps');
}

const isListOf = (value: Json | undefined, isElement: (element: Json) => boolean): value is Json[] =>
  Array.isArray(value) && value.length <= MAX_ELEMENTS && value.every(isElement);

function isPlainStep(step: Json): boolean {
  if (!isObject(step)) return false;
  const [name, ...others] = Object.keys(step);
  return (name === 'module' || name === 'run') && others.length === 0 && isLine(step[name]);
}
