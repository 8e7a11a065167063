/** `plural(1, 'file')` is "1 file", `plural(2, 'file')` is "2 files". */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
