/** Finds the secrets of a run: in its environment, and in the variables that definitions and tools set. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import picomatch from 'picomatch';
import type { Secret } from '../domain/agent-message.ts';
import type { Json, JsonObject } from '../domain/json.ts';
import type { Project } from '../domain/project.ts';
import type { Workstream } from '../domain/workstream.ts';
import { Redactor } from './redactor.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** A shorter value would occur in text where it is no secret. */
const MIN_LENGTH = 8;

/** Usual values of secret variables that are no secrets. */
const KNOWN =
  /^(?:password|changeme|postgres|disabled|required|optional|undefined|production|development|(.)\1*)$/i;

/** `scheme://user:password@host`; the group is the password. */
const URL_PASSWORD = /[a-z][a-z0-9+.-]*:\/\/[^\s/?#:@]*:([^\s/?#@]+)@/gi;

/** `https://token@host` and `https://token:x-oauth-basic@host`; the first group is the token. */
const URL_TOKEN = /https?:\/\/([^\s/?#:@]{12,})(?::(?:x-oauth-basic)?)?@/gi;

/** A user name of that length rarely has both letters and digits, or 20 characters. */
const isToken = (user: string): boolean => (/\d/.test(user) && /[a-z]/i.test(user)) || user.length >= 20;

/** Whether a variable of this name is secret; null where the project says that it is not. */
export type NameRule = (name: string) => boolean | null;

/** The names of the project have precedence over the rules for names, and `keep` over both. */
export function nameRule({ names, keep }: Project['redact']): NameRule {
  const isNamed = picomatch(names, { nocase: true, dot: true });
  const isKept = picomatch(keep, { nocase: true, dot: true });
  // Thousands of definitions have the same few names.
  const known = new Map<string, boolean | null>();
  return (name) => {
    let isSecret = known.get(name);
    if (isSecret === undefined) {
      isSecret = isKept(name) ? null : isNamed(name) || isSecretName(name);
      known.set(name, isSecret);
    }
    return isSecret;
  };
}

/** The secrets among variables. A password in a URL is secret in every variable that is not kept. */
export function secretsAmong(variables: Variables, rule: NameRule): Secret[] {
  return Object.entries(variables).flatMap(([name, value = '']) => {
    const isSecret = rule(name);
    if (isSecret === null) return [];
    const values = new Set([...(isSecret ? secretParts(value, rule) : []), ...urlPasswords(value)]);
    return Array.from(values, (each) => ({ name, value: each }));
  });
}

/** Of a secret that is a JSON object, such as the key of a service account, only fields with secret names are secret. */
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
    // It is no JSON.
    return null;
  }
}

/** The variables that definitions set for steps and tests, and the fields of definitions that are stored unchanged. */
export function variablesOf(workstreams: readonly Workstream[]): Variables[] {
  const found: Variables[] = [];
  for (const { steps, compensation, acceptanceTests, extra } of workstreams) {
    for (const list of [steps, compensation, acceptanceTests])
      for (const each of list) if ('env' in each && !isEmpty(each.env)) found.push(each.env);
    if (!isEmpty(extra)) found.push(...textFields(extra));
  }
  return found;
}

function isEmpty(fields: object): boolean {
  for (const name in fields) if (Object.hasOwn(fields, name)) return false;
  return true;
}

/** Each text of a JSON value, by its key. */
function textFields(value: JsonObject): Variables[] {
  return Object.entries(value).flatMap(([key, child]) => textsOf(key, child));
}

function textsOf(key: string, value: Json): Variables[] {
  if (typeof value === 'string') return [{ [key]: value }];
  if (Array.isArray(value)) return value.flatMap((item) => textsOf(key, item));
  return typeof value === 'object' && value !== null ? textFields(value) : [];
}

/** The secret lines of a secret: a key in PEM is often printed line by line. */
function secretLines(value: string): string[] {
  if (isPath(value.trim())) return [];
  return value
    .split(/\r\n|[\r\n]/)
    .map((line) => line.trim())
    .filter((line) => line.length >= MIN_LENGTH && !KNOWN.test(line) && !line.startsWith('-----'));
}

/** Many variables have the path of the file with the secret. */
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
    // A % in it encodes nothing, so that it is not encoded at all.
    return text;
  }
}

/** Knows the secrets in the environment of this process, for the time before definitions are loaded. */
export function environmentRedactor(redact: Project['redact'] = { names: [], keep: [] }): Redactor {
  return new Redactor(secretsAmong(process.env, nameRule(redact)));
}

/** A variable is secret whose name ends in one of these words. */
const ENDS =
  /^(?:(?:TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|AUTH|CREDENTIAL|APIKEY|JWT|COOKIE|WEBHOOK)S?|PASS)$/;

/** The same, if there is a word before them. */
const ENDS_WITH_MORE = /^(?:PAT|PWD)$/;

/** Words before KEY with which it is no secret. */
const NO_SECRET_KEY = /^(?:PUBLIC|PUB|CACHE|PRIMARY|FOREIGN|SORT|PARTITION)$/;
/** A KEY of one of these is usually its id. */
const KEY_ID = /^(?:GPG|PGP)$/;
/** Words beside TOKENS with which it is a number. */
const COUNTED = /^(?:MAX|MIN|NUM|COUNT|LIMIT|BUDGET|TOTAL|INPUT|OUTPUT|THINKING)$/;

/** Several words without `_` between them, such as `DBPASSWORD`. */
const GLUED =
  /(?:(?:PASSWORD|PASSWD|PASSPHRASE|TOKEN|SECRET|APIKEY|ACCESSKEY|SECRETKEY|PRIVATEKEY)S?|CREDENTIALS)$/;

/** Two words at the end that mean a secret together. */
const PAIRS = /(?:^|_)(?:WEBHOOK_URL|CONNECTION_STRING)$|^MILLRACE_NOTIFY$/;

/** A last word that distinguishes several secrets of one kind. */
const VARIANT =
  /^(?:PROD|PRODUCTION|DEV|DEVELOPMENT|STAGING|TEST|LIVE|OLD|NEW|NEXT|PREVIOUS|B64|BASE64|\d+)$/;

/** A last word with which a name that has SECRET in it is no secret. */
const ABOUT =
  /^(?:FILE|PATH|DIR|FOLDER|URL|URI|NAME|ID|IDS|VERSION|ARN|REGION|PROJECT|PROVIDER|STORE|BACKEND|MANAGER|TYPE|FORMAT|PREFIX|COUNT|LENGTH|TTL|TIMEOUT|ENABLED|HOST|PORT)$/;

/**
 * Whether a variable of this name has a secret. Case does not count, and `apiKey` is `API_KEY`. The value counts too: one
 * that is short, or the path of a file, is never a secret.
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

/** The words of a name, without those that distinguish several secrets of one kind. */
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
