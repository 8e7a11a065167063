/** Compares names with the numbers in them as numbers: `agent-2` comes before `agent-10`. */
export const { compare: byNumber } = new Intl.Collator('en', { numeric: true });
