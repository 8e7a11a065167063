/** The number at an index that is known to exist. Throws where it does not: a silent 0 would be another node. */
export function requireAt(numbers: { readonly [index: number]: number }, index: number): number {
  const value = numbers[index];
  if (value === undefined) throw new RangeError(`there is no index ${index}`);
  return value;
}
