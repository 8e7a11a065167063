/** Needs as they are listed while a run is under way: they keep their places, and say where and when they came up. */
import type { PageWorkstream } from '../../domain/page-document.ts';
import { agentText, count, listed, oneLine, plural } from './format.ts';
import { NAMED, type Need } from './needs.ts';

/** What a reader has before them: needs, of which the first have a card. */
export interface ListedNeeds {
  needs: readonly Need[];
  cards: number;
}

/** Cards that are there at first while a run is under way, and most that a look adds. */
const CARDS = 8;

export const NOTHING_LISTED: ListedNeeds = { needs: [], cards: CARDS };

/**
 * What is listed once the reader looks again. Cards that are there stay where they are, also where their error has become
 * more urgent than another; what is new has cards after them.
 */
export function listedAfter({ needs: before, cards }: ListedNeeds, needs: readonly Need[]): ListedNeeds {
  const places = new Map(before.slice(0, cards).map(({ key }, index) => [key, index]));
  const known = new Set(before.map(({ key }) => key));
  const kept = needs.filter(({ key }) => places.has(key)).length;
  const fresh = before.length === 0 ? 0 : needs.filter(({ key }) => !known.has(key)).length;
  const placeOf = ({ key }: Need): number => places.get(key) ?? places.size;
  return {
    needs: needs.toSorted((a, b) => placeOf(a) - placeOf(b)),
    cards: Math.max(CARDS, kept + Math.min(CARDS, fresh)),
  };
}

/** Where and when an error came up. */
export interface Spread {
  /** When the first and the newest of its workstreams ended, ISO 8601 in UTC; null where that is not known. */
  first: string | null;
  newest: string | null;
  /** "claude (250) and codex (50)": tools, or agents where none was used, the most frequent first. */
  by: string;
}

export function spreadOf(failures: readonly PageWorkstream[]): Spread {
  let [first, newest]: [string | null, string | null] = [null, null];
  const counts = new Map<string, number>();
  for (const { tool, agentId, end } of failures) {
    const name = tool === null ? agentText(agentId, 40) : oneLine(tool, 40);
    counts.set(name, (counts.get(name) ?? 0) + 1);
    if (end === null) continue;
    if (first === null || end < first) first = end;
    if (newest === null || end > newest) newest = end;
  }
  const names = [...counts].toSorted(([, a], [, b]) => b - a);
  const named = names
    .slice(0, NAMED)
    .map(([name, times]) => (names.length === 1 ? name : `${name} (${count(times)})`));
  const left = names.length - named.length;
  return { first, newest, by: listed([...named, ...(left > 0 ? [plural(left, 'other')] : [])]) };
}
