/**
 * By what errors are grouped: two errors are one pattern when `normalize` gives the same text for both. The store
 * needs the same rule for rows of older systems, so the rule itself stands where both can reach it.
 */
export { normalizeMessage as normalize } from '../text/normalize-message.ts';
