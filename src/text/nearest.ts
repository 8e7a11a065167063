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

/** Known words from this length on may be meant by a word with one letter more, less or another. */
const ONE_LETTER_FROM = 5;

/**
 * The known word that this one can only be a slip of: it differs in case, `_` and `-` alone, or in one letter more, less
 * or other than a word of five letters at least. Null when there is none.
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

/** Words are compared up to this length; nobody mistypes a longer one by hand. */
const LONGEST = 200;

const simplify = (word: string): string => word.toLowerCase().replaceAll(/[_-]/g, '');

/** Lists are asked again and again, so each is simplified once. */
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
