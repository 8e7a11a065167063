import leven from 'leven';

/**
 * The known word that was probably meant, or null when none is near: the one with the fewest changed letters (at
 * most a third of the word; case, `_` and `-` don't count), otherwise the only one that begins with the word.
 */
export function nearest(word: string, known: readonly string[]): string | null {
  const plain = simplify(word.slice(0, LONGEST));
  let best: string | null = null;
  let bestDistance = Math.min(Math.ceil(plain.length / 3) + 1, plain.length);
  for (const [index, other] of simplified(known).entries()) {
    if (known[index] === word || Math.abs(other.length - plain.length) >= bestDistance) continue;
    const distance = leven(plain, other, { maxDistance: bestDistance });
    if (distance >= bestDistance) continue;
    best = known[index] ?? null;
    bestDistance = distance;
  }
  return best ?? completion(plain, known);
}

/** Only known words of this length or more may differ by a letter. */
const ONE_LETTER_FROM = 5;

/**
 * The known word of which this one is a typing error: it differs in case, `_` and `-` only, or, from a word of at least
 * five letters, by one letter that was added, left out or replaced. Null when there is none.
 */
export function slipOf(word: string, known: readonly string[]): string | null {
  if (word.length > LONGEST) return null;
  const plain = simplify(word);
  const words = simplified(known);
  const same = words.indexOf(plain);
  if (same !== -1) return known[same] ?? null;
  const near = words.findIndex(
    (other) =>
      other.length >= ONE_LETTER_FROM &&
      Math.abs(other.length - plain.length) <= 1 &&
      leven(plain, other, { maxDistance: 2 }) === 1,
  );
  return near === -1 ? null : (known[near] ?? null);
}

/** Words are compared up to this length; longer ones are not typed by hand. */
const LONGEST = 200;

const simplify = (word: string): string => word.toLowerCase().replaceAll(/[_-]/g, '');

/** Each list is simplified once, because it is searched many times. */
const lists = new WeakMap<readonly string[], string[]>();

function simplified(known: readonly string[]): string[] {
  let words = lists.get(known);
  if (words === undefined || words.length !== known.length) lists.set(known, (words = known.map(simplify)));
  return words;
}

function completion(plain: string, known: readonly string[]): string | null {
  if (plain.length < 3) return null;
  const longer = simplified(known).flatMap((other, index) => (other.startsWith(plain) ? [index] : []));
  return longer.length === 1 ? (known[longer[0] ?? 0] ?? null) : null;
}
