const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/**
 * The set of all runs of `size` tokens, each as a 32-bit FNV-1a hash (Fowler, Noll & Vo,
 * http://www.isthe.com/chongo/tech/comp/fnv/) of its tokens' hashes; sorted, without repetition.
 */
export function shingles(tokens: readonly string[], size: number): Uint32Array {
  const hashes = tokens.map(hashToken);
  const runs = new Uint32Array(Math.max(0, hashes.length - size + 1));
  for (let start = 0; start < runs.length; start += 1) {
    let hash = FNV_OFFSET;
    for (let i = start; i < start + size; i += 1) hash = addWord(hash, hashes[i] ?? 0);
    runs[start] = hash;
  }
  runs.sort();
  return runs.filter((hash, i) => i === 0 || hash !== runs[i - 1]);
}

function hashToken(token: string): number {
  let hash = FNV_OFFSET;
  for (let i = 0; i < token.length; i += 1) hash = Math.imul(hash ^ token.charCodeAt(i), FNV_PRIME);
  return hash;
}

/** Takes in the four bytes of a word. */
function addWord(hash: number, word: number): number {
  let next = Math.imul(hash ^ (word & 0xff), FNV_PRIME);
  next = Math.imul(next ^ ((word >>> 8) & 0xff), FNV_PRIME);
  next = Math.imul(next ^ ((word >>> 16) & 0xff), FNV_PRIME);
  return Math.imul(next ^ (word >>> 24), FNV_PRIME);
}
