/** Finds the secrets of a run: in its environment, and in that which definitions and tools give to their programs. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import picomatch from 'picomatch';
import type { Json, JsonObject } from '../domain/json.ts';
import type { Project } from '../domain/project.ts';
import type { Secret } from '../domain/secret.ts';
import { isSecretName } from '../domain/secret-name.ts';
import type { Workstream } from '../domain/workstream.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** Fewer characters would be found where nothing secret is meant. */
const MIN_LENGTH = 8;

/** What stands where a secret might, and is none. */
const KNOWN =
  /^(?:password|changeme|postgres|disabled|required|optional|undefined|production|development|(.)\1*)$/i;

/** `scheme://user:password@host`; the group is the password. */
const URL_PASSWORD = /[a-z][a-z0-9+.-]*:\/\/[^\s/?#:@]*:([^\s/?#@]+)@/gi;

/** `https://token@host` and `https://token:x-oauth-basic@host`; the first group is the token. */
const URL_TOKEN = /https?:\/\/([^\s/?#:@]{12,})(?::(?:x-oauth-basic)?)?@/gi;

/** A user's name that is as long rarely has both, or is so much longer. */
const isToken = (user: string): boolean => (/\d/.test(user) && /[a-z]/i.test(user)) || user.length >= 20;

/** Says of a variable's name whether its value is secret; null where it was said to be none. */
export type NameRule = (name: string) => boolean | null;

/** What the project says goes before what the name looks like, and `keep` before everything. */
export function nameRule({ names, keep }: Project['redact']): NameRule {
  const isNamed = picomatch(names, { nocase: true, dot: true });
  const isKept = picomatch(keep, { nocase: true, dot: true });
  // Thousands of definitions have the same few names.
  const known = new Map<string, boolean | null>();
  return (name) => {
    let said = known.get(name);
    if (said === undefined) {
      said = isKept(name) ? null : isNamed(name) || isSecretName(name);
      known.set(name, said);
    }
    return said;
  };
}

/** The secrets among variables. Of all variables the passwords in URLs are secret. */
export function secretsAmong(variables: Variables, rule: NameRule): Secret[] {
  return Object.entries(variables).flatMap(([name, value = '']) => {
    const isSecret = rule(name);
    if (isSecret === null) return [];
    const values = new Set([...(isSecret ? secretParts(value, rule) : []), ...urlPasswords(value)]);
    return Array.from(values, (each) => ({ name, value: each }));
  });
}

/** Of a secret that is a JSON object, such as the key of a service account, its fields are judged by their names. */
function secretParts(value: string, rule: NameRule): string[] {
  const object = parseObject(value);
  if (object === null) return secretLines(value);
  const inFields = textFields(object).flatMap((field) => secretsAmong(field, rule));
  return [...(value.includes('\n') ? [] : [value.trim()]), ...inFields.map((secret) => secret.value)];
}

function parseObject(value: string): JsonObject | null {
  if (!value.trimStart().startsWith('{')) return null;
  try {
    const object: JsonObject = JSON.parse(value);
    return object;
  } catch {
    // It only begins like one.
    return null;
  }
}

/** The variables that definitions give to their steps and tests, and the fields that are kept as they stand there. */
export function variablesOf(workstreams: readonly Workstream[]): Variables[] {
  return workstreams.flatMap(({ steps, compensation, acceptanceTests, extra }) => {
    const own = [...steps, ...compensation, ...acceptanceTests].flatMap((each) =>
      'env' in each && Object.keys(each.env).length > 0 ? [each.env] : [],
    );
    return [...own, ...textFields(extra)];
  });
}

/** Each text of a JSON value with the key that it stands under. */
function textFields(value: JsonObject): Variables[] {
  return Object.entries(value).flatMap(([key, child]) => textsOf(key, child));
}

function textsOf(key: string, value: Json): Variables[] {
  if (typeof value === 'string') return [{ [key]: value }];
  if (Array.isArray(value)) return value.flatMap((item) => textsOf(key, item));
  return typeof value === 'object' && value !== null ? textFields(value) : [];
}

/** The lines of a secret that are secret: a key in PEM is often shown line by line. */
function secretLines(value: string): string[] {
  if (isPath(value.trim())) return [];
  return value
    .split(/\r\n|[\r\n]/)
    .map((line) => line.trim())
    .filter((line) => line.length >= MIN_LENGTH && !KNOWN.test(line) && !line.startsWith('-----'));
}

/** Many variables name the file that holds the secret. */
function isPath(value: string): boolean {
  return /[/\\]/.test(value) && existsSync(value.replace(/^~(?=[/\\])/, homedir()));
}

function urlPasswords(value: string): string[] {
  if (!value.includes('://')) return [];
  const passwords = [...value.matchAll(URL_PASSWORD)].map(([, password = '']) => password);
  const tokens = [...value.matchAll(URL_TOKEN)].map(([, user = '']) => user).filter(isToken);
  return [...passwords, ...tokens]
    .flatMap((password) => [password, decoded(password)])
    .filter((password) => password.length >= MIN_LENGTH && !KNOWN.test(password));
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // It holds a % that encodes nothing, so it is what it is.
    return text;
  }
}
