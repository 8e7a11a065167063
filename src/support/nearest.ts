import leven from 'leven';

/**
 * The known word that was probably meant, or null when none is near: the one with the fewest changed letters (at
 * most a third of the word, case, `_` and `-` not counted), otherwise the only one that begins with the word.
 */
export function nearest(word: string, known: readonly string[]): string | null {
  const plain = simplify(word.slice(0, LONGEST));
  let best: string | null = null;
  let bestDistance = Math.ceil(plain.length / 3) + 1;
  for (const candidate of known) {
    const other = simplify(candidate);
    if (candidate === word || Math.abs(other.length - plain.length) >= bestDistance) continue;
    const distance = leven(plain, other, { maxDistance: bestDistance });
    if (distance >= bestDistance || distance >= plain.length) continue;
    best = candidate;
    bestDistance = distance;
  }
  return best ?? completion(plain, known);
}

/** Words are compared up to this length; nobody mistypes a longer one by hand. */
const LONGEST = 200;

const simplify = (word: string): string => word.toLowerCase().replaceAll(/[_-]/g, '');

function completion(plain: string, known: readonly string[]): string | null {
  if (plain.length < 3) return null;
  const longer = known.filter((candidate) => simplify(candidate).startsWith(plain));
  return longer.length === 1 ? (longer[0] ?? null) : null;
}
