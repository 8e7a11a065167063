/** Finds the secrets of a run: in its environment, and in that which definitions and tools give to their programs. */
import type { Secret } from '../domain/agent-message.ts';
import type { Json, JsonObject } from '../domain/json.ts';
import type { Project } from '../domain/project.ts';
import type { Workstream } from '../domain/workstream.ts';
import { Redactor } from './redactor.ts';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import picomatch from 'picomatch';

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

/** Redacts what is secret in the environment of this process alone, as long as nothing more is known. */
export function environmentRedactor(redact: Project['redact'] = { names: [], keep: [] }): Redactor {
  return new Redactor(secretsAmong(process.env, nameRule(redact)));
}

/** Which environment variables hold secrets, as far as their names say. */

/** A name that ends in one of these is a secret's. */
const ENDS =
  /^(?:(?:TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|AUTH|CREDENTIAL|APIKEY|JWT|COOKIE|WEBHOOK)S?|PASS)$/;

/** These say something only with a word before them. */
const ENDS_WITH_MORE = /^(?:PAT|PWD)$/;

/** Words before KEY that make it something that anyone may see. */
const NO_SECRET_KEY = /^(?:PUBLIC|PUB|CACHE|PRIMARY|FOREIGN|SORT|PARTITION)$/;
/** What is called a key of these is most often its id. */
const KEY_ID = /^(?:GPG|PGP)$/;
/** Words beside TOKENS that make them something that is counted. */
const COUNTED = /^(?:MAX|MIN|NUM|COUNT|LIMIT|BUDGET|TOTAL|INPUT|OUTPUT|THINKING)$/;

/** Words without a `_` between them, such as `DBPASSWORD`. */
const GLUED =
  /(?:(?:PASSWORD|PASSWD|PASSPHRASE|TOKEN|SECRET|APIKEY|ACCESSKEY|SECRETKEY|PRIVATEKEY)S?|CREDENTIALS)$/;

/** Two words at the end that are a secret together. */
const PAIRS = /(?:^|_)(?:WEBHOOK_URL|CONNECTION_STRING)$/;

/** Says which of several secrets it is, and not what it is. */
const VARIANT =
  /^(?:PROD|PRODUCTION|DEV|DEVELOPMENT|STAGING|TEST|LIVE|OLD|NEW|NEXT|PREVIOUS|B64|BASE64|\d+)$/;

/** What a name that holds SECRET is about where it ends in one of these. */
const ABOUT =
  /^(?:FILE|PATH|DIR|FOLDER|URL|URI|NAME|ID|IDS|VERSION|ARN|REGION|PROJECT|PROVIDER|STORE|BACKEND|MANAGER|TYPE|FORMAT|PREFIX|COUNT|LENGTH|TTL|TIMEOUT|ENABLED|HOST|PORT)$/;

/**
 * Whether a variable of this name holds a secret. Case does not count, and `apiKey` is `API_KEY`. Says nothing of the
 * value: a short one, or the path of a file, is no secret under whatever name.
 */
export function isSecretName(name: string): boolean {
  const parts = wordsOf(name);
  const last = parts.at(-1);
  if (last === undefined || (parts.length === 1 && last.endsWith('PWD'))) return false;
  if (last === 'TOKENS') return !parts.some((part) => COUNTED.test(part));
  if (last === 'KEY') return parts.length > 1 && isSecretKey(parts);
  if (ENDS.test(last) || GLUED.test(last) || PAIRS.test(parts.join('_'))) return true;
  if (ENDS_WITH_MORE.test(last) && parts.length > 1) return true;
  return parts.includes('SECRET') && !ABOUT.test(last);
}

/** The words of a name, without what only tells variants of one secret apart. */
function wordsOf(name: string): string[] {
  const parts = name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toUpperCase()
    .split(/[^A-Z0-9]+/)
    .filter((part) => part !== '');
  while (parts.length > 1 && VARIANT.test(parts.at(-1) ?? '')) parts.pop();
  const last = parts.pop();
  return last === undefined ? [] : [...parts, last.replace(/\d+$/, '')];
}

function isSecretKey(parts: readonly string[]): boolean {
  if (parts.some((part) => NO_SECRET_KEY.test(part))) return false;
  const isPrivate = parts.includes('PRIVATE') || parts.includes('SECRET');
  return isPrivate || !parts.some((part) => KEY_ID.test(part));
}
