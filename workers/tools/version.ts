/** The numbers of the first version in a text, as in "codex-cli 0.169.0"; null for none. */
function versionNumbers(text: string): number[] | null {
  const found = /\d+(?:\.\d+)+/.exec(text)?.[0];
  return found === undefined ? null : found.split('.').map(Number);
}

/** Whether the version that a program printed is before `first`. False where it printed none. */
export function isBefore(printed: string, first: string): boolean {
  const numbers = versionNumbers(printed);
  const limit = versionNumbers(first);
  if (numbers === null || limit === null) return false;
  for (const [index, part] of limit.entries()) {
    const difference = (numbers[index] ?? 0) - part;
    if (difference !== 0) return difference < 0;
  }
  return false;
}
