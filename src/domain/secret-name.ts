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
