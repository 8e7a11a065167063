/** Jaccard similarity of two sets, given sorted and without repetition: common members / all members. 1 for no members. */
export function jaccard(a: Uint32Array, b: Uint32Array): number {
  let common = 0;
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const left = a[i] ?? 0;
    const right = b[j] ?? 0;
    if (left === right) common += 1;
    if (left <= right) i += 1;
    if (right <= left) j += 1;
  }
  const all = a.length + b.length - common;
  return all === 0 ? 1 : common / all;
}
