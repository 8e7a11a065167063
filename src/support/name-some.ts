/** "a, b, c, d, e and 3 more" */
export function nameSome(ids: readonly string[]): string {
  const left = ids.length - 5;
  return `${ids.slice(0, 5).join(', ')}${left > 0 ? ` and ${left} more` : ''}`;
}
