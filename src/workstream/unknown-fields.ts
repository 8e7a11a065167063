import type { JsonObject } from '../domain/json.ts';
import { stepSchemas } from '../domain/step-file.ts';
import {
  capabilityPayloadSchema,
  circuitBreakerSchema,
  WORKSTREAM_FIELDS,
} from '../domain/workstream-file.ts';
import { nearest } from '../support/nearest.ts';
import { ALTERNATIVES } from './alternatives.ts';
import { quote } from './describe-value.ts';
import type { Finding } from './finding.ts';
import { fieldOf, isObject } from './json-value.ts';
import type { JsonPath } from './locate.ts';

/** Most warnings about unknown fields for one definition. */
const MAX_WARNINGS = 20;

/** The objects of a definition that have fields of their own. */
const OBJECTS: ReadonlyMap<string, readonly string[]> = new Map([
  ['circuit_breaker', Object.keys(circuitBreakerSchema.shape)],
  ['capability_payload', Object.keys(capabilityPayloadSchema.shape)],
]);

/** Field names by list and by the key that tells its elements apart. */
const LISTS = new Map(
  [...ALTERNATIVES].map(([list, { objects }]) => [
    list,
    new Map(Object.entries(objects).map(([key, schema]) => [key, Object.keys(schema.shape)])),
  ]),
);

/** A warning for every field that nobody knows, with the nearest known name. They are kept all the same. */
export function unknownFields(definition: JsonObject): Finding[] {
  const findings: Finding[] = [];
  for (const { object, path, known } of objectsOf(definition)) {
    for (const name of Object.keys(object)) {
      if (known.includes(name) || name.startsWith('_comment')) continue;
      findings.push({
        severity: 'warning',
        path: [...path, name],
        at: 'key',
        message: sentence(name, path, known),
      });
      if (findings.length === MAX_WARNINGS) return findings;
    }
  }
  return findings;
}

interface KnownObject {
  object: JsonObject;
  path: JsonPath;
  known: readonly string[];
}

function* objectsOf(definition: JsonObject): Generator<KnownObject> {
  yield { object: definition, path: [], known: WORKSTREAM_FIELDS };
  for (const [name, known] of OBJECTS) {
    const object = fieldOf(definition, name);
    if (isObject(object)) yield { object, path: [name], known };
  }
  for (const [name, forms] of LISTS) {
    const list = fieldOf(definition, name);
    if (!Array.isArray(list)) continue;
    for (const [index, object] of list.entries()) {
      if (isObject(object)) yield { object, path: [name, index], known: fieldsOf(object, forms) };
    }
  }
}

/** The fields of the form that was meant; those of all forms where that is not clear. */
function fieldsOf(object: JsonObject, forms: ReadonlyMap<string, string[]>): readonly string[] {
  for (const [key, fields] of forms) if (Object.hasOwn(object, key)) return fields;
  return [...forms.values()].flat();
}

function sentence(name: string, path: JsonPath, known: readonly string[]): string {
  const meant = nearest(name, known);
  if (meant !== null) return `unknown field; did you mean ${quote(meant)}?`;
  if (path.length === 0 && Object.hasOwn(stepSchemas, name)) {
    return `unknown field; ${name} belongs in a step: "steps": [{ ${quote(name)}: … }]`;
  }
  return 'unknown field; it is kept and not used';
}
