/** A name that ends with a number which a double holds exactly. */
const NUMBERED = /^(.*?)(\d{1,15})$/s;

let collator: Intl.Collator | null = null;

/**
 * Compares names with the numbers in them as numbers: `agent-2` comes before `agent-10`. Names that differ in their last
 * number alone, as those of agents do, are compared without a collator, which takes 5 ms to make.
 */
export function byNumber(one: string, other: string): number {
  const [, name, number] = NUMBERED.exec(one) ?? [];
  const [, otherName, otherNumber] = NUMBERED.exec(other) ?? [];
  if (name !== undefined && name === otherName && isSimple(name)) return Number(number) - Number(otherNumber);
  collator ??= new Intl.Collator('en', { numeric: true });
  return collator.compare(one, other);
}

/** Whether what stands before the number is not a part of it. */
const isSimple = (name: string): boolean => !/\d$/.test(name);
