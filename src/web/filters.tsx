/** The row over a table in which its rows are filtered: by words, and by how they stand. */
import { type Glyph, Icon } from './icons.tsx';
import { count } from './model/format.ts';
import { adjust, go, place } from './state.ts';

/** A state that rows can be filtered by. */
interface FilterState {
  /** As it is in the address. */
  state: string;
  word: string;
  glyph: Glyph;
  /** How many rows have it. */
  there: number;
}

interface FilterRowProps {
  /** What is filtered, for a screen reader: "Filter the runs". */
  label: string;
  /** What the words are searched in. */
  field: string;
  placeholder: string;
  /** Rows that there are, and those that are found. */
  all: number;
  found: number;
  /** Those that no row has are left out. */
  states: readonly FilterState[];
}

export function FilterRow({ label, field, placeholder, all, found, states }: FilterRowProps) {
  const { query, states: chosen } = place.value;
  const toggled = (state: string): string[] =>
    chosen.includes(state) ? chosen.filter((each) => each !== state) : [...chosen, state];
  return (
    <div class="filters" role="search" aria-label={label}>
      <input
        class="in"
        type="search"
        aria-label={field}
        placeholder={placeholder}
        value={query}
        onInput={({ currentTarget }) => adjust({ query: currentTarget.value })}
      />
      <button
        type="button"
        class="chip"
        aria-pressed={chosen.length === 0}
        onClick={() => go({ states: [] })}
      >
        All {count(all)}
      </button>
      {states
        .filter(({ there }) => there > 0)
        .map(({ state, word, glyph, there }) => (
          <button
            type="button"
            class="chip"
            key={state}
            aria-pressed={chosen.includes(state)}
            onClick={() => go({ states: toggled(state) })}
          >
            <Icon glyph={glyph} />
            {word} {count(there)}
          </button>
        ))}
      <span class="q found" role="status">
        {query !== '' || chosen.length > 0 ? `${count(found)} found` : ''}
      </span>
    </div>
  );
}
