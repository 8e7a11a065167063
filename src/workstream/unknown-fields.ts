import { isObject, type JsonObject } from '../domain/json.ts';
import {
  cacheSchema,
  capabilityPayloadSchema,
  circuitBreakerSchema,
  reviewFileSchema,
  stepSchemas,
  WORKSTREAM_FIELDS,
} from '../domain/workstream-file.ts';
import { nearest, slipOf } from '../text/nearest.ts';
import { ALTERNATIVES } from './explain-issue.ts';
import type { Finding } from './finding.ts';
import { fieldOf, quote } from './json-value.ts';
import type { JsonPath } from './locate.ts';

/** Most warnings about unknown fields for one definition. */
const MAX_WARNINGS = 20;

/** The objects of a definition that have fields of their own. */
const OBJECTS: ReadonlyMap<string, readonly string[]> = new Map([
  ['circuit_breaker', Object.keys(circuitBreakerSchema.shape)],
  ['review', Object.keys(reviewFileSchema.shape)],
  ['cache', Object.keys(cacheSchema.shape)],
  ['capability_payload', Object.keys(capabilityPayloadSchema.shape)],
]);

/** The field names of a list's elements. */
interface Forms {
  /** By the key that distinguishes the elements. */
  byKey: ReadonlyMap<string, readonly string[]>;
  all: readonly string[];
}

const LISTS: ReadonlyMap<string, Forms> = new Map(
  [...ALTERNATIVES].map(([list, { objects }]) => {
    const byKey = new Map(Object.entries(objects).map(([key, schema]) => [key, Object.keys(schema.shape)]));
    return [list, { byKey, all: [...new Set([...byKey.values()].flat())] }];
  }),
);

/**
 * Every unknown field, with the nearest known name. One that can only be a typing error is an error, because its value
 * would be ignored. The others are warnings, and are kept.
 */
export function unknownFields(definition: JsonObject): Finding[] {
  const findings: Finding[] = [];
  let warnings = 0;
  for (const { object, path, known } of objectsOf(definition)) {
    for (const name of Object.keys(object)) {
      if (known.includes(name) || name.startsWith('_comment')) continue;
      const slip = cachedSlip(name, known);
      if (slip === null && ++warnings > MAX_WARNINGS) continue;
      findings.push({
        severity: slip === null ? 'warning' : 'error',
        path: [...path, name],
        at: 'key',
        message: slip === null ? sentence(name, path, known) : `unknown field; did you mean ${quote(slip)}?`,
      });
    }
  }
  return findings;
}

/** Fields are the same in thousands of definitions, so each name is looked for once. */
const slips = new WeakMap<readonly string[], Map<string, string | null>>();
const MAX_CACHED = 10_000;

function cachedSlip(name: string, known: readonly string[]): string | null {
  let names = slips.get(known);
  if (names === undefined) slips.set(known, (names = new Map()));
  let slip = names.get(name);
  if (slip === undefined) {
    slip = slipOf(name, known);
    if (names.size < MAX_CACHED) names.set(name, slip);
  }
  return slip;
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
function fieldsOf(object: JsonObject, { byKey, all }: Forms): readonly string[] {
  for (const [key, fields] of byKey) if (Object.hasOwn(object, key)) return fields;
  return all;
}

function sentence(name: string, path: JsonPath, known: readonly string[]): string {
  const meant = nearest(name, known);
  if (meant !== null) return `unknown field; did you mean ${quote(meant)}?`;
  if (path.length === 0 && Object.hasOwn(stepSchemas, name)) {
    return `unknown field; ${name} belongs in a step: "steps": [{ ${quote(name)}: … }]`;
  }
  return 'unknown field; it is kept and not used';
}
