/** The search of the whole page: what it finds is listed under the field, and the tables show it too. */
import { useSignal } from '@preact/signals';
import { Icon, MARK_GLYPHS } from './icons.tsx';
import { count, oneLine } from './model/format.ts';
import type { Need } from './model/needs.ts';
import type { PageView } from './model/place.ts';
import { matches, queryWords } from './model/rows.ts';
import { markOf, type Run } from './model/run.ts';
import { TONE_OF_MARK } from './parts.tsx';
import { adjust, focusMain, place, visit } from './state.ts';

interface Hit {
  view: PageView;
  title: string;
  note: string;
  tone: string;
  glyph: Parameters<typeof Icon>[0]['glyph'];
}

/** Most hits that are listed. */
const LISTED = 9;

function hitsOf(run: Run, needs: readonly Need[], query: string): { hits: Hit[]; total: number } {
  const words = queryWords(query);
  if (words.length === 0) return { hits: [], total: 0 };
  const errors = needs.flatMap(({ pattern, title, total }): Hit[] => {
    const text = title.map((part) => part ?? '…').join('');
    if (
      pattern === null ||
      !words.every((word) => `${text} ${pattern.telling} ${pattern.id}`.toLowerCase().includes(word))
    )
      return [];
    return [
      {
        view: { kind: 'pattern', id: pattern.id },
        title: text,
        note: `error, ${count(total)} ×`,
        tone: 'fail',
        glyph: 'cross',
      },
    ];
  });
  const hits: Hit[] = errors.slice(0, 3);
  let total = errors.length;
  for (const each of run.workstreams) {
    if (!matches(run, each, query)) continue;
    total += 1;
    if (hits.length >= LISTED) continue;
    const mark = markOf(each);
    hits.push({
      view: { kind: 'workstream', id: each.id },
      title: each.title,
      note: each.id === each.title ? '' : each.id,
      tone: TONE_OF_MARK[mark],
      glyph: MARK_GLYPHS[mark],
    });
  }
  return { hits, total };
}

export function Search({ run, needs }: { run: Run; needs: readonly Need[] }) {
  const isOpen = useSignal(false);
  const chosen = useSignal(-1);
  const { query } = place.value;
  const { hits, total } = isOpen.value ? hitsOf(run, needs, query) : { hits: [], total: 0 };
  const close = (): void => {
    isOpen.value = false;
    chosen.value = -1;
  };
  const take = (hit: Hit | undefined): void => {
    close();
    focusMain();
    visit({ view: hit?.view ?? { kind: 'run', section: 'done' } });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'ArrowDown') chosen.value = Math.min(hits.length - 1, chosen.value + 1);
    else if (event.key === 'ArrowUp') chosen.value = Math.max(-1, chosen.value - 1);
    else if (event.key === 'Enter') take(hits[chosen.value]);
    else if (event.key === 'Escape') {
      if (isOpen.value && query !== '') close();
      else focusMain();
    } else return;
    event.preventDefault();
  };
  const isListed = isOpen.value && query !== '';
  return (
    <div class="find" role="search" aria-label="The whole page">
      <Icon glyph="search" />
      <input
        data-search
        type="search"
        role="combobox"
        list={undefined}
        aria-label="Search workstreams and errors"
        aria-expanded={isListed}
        aria-controls="hits"
        aria-activedescendant={chosen.value === -1 ? undefined : `hit-${chosen.value}`}
        autocomplete="off"
        placeholder="Search workstreams, errors"
        value={query}
        onInput={({ currentTarget }) => {
          adjust({ query: currentTarget.value });
          isOpen.value = true;
          chosen.value = -1;
        }}
        onFocus={() => (isOpen.value = true)}
        onBlur={close}
        onKeyDown={onKeyDown}
      />
      <kbd aria-hidden="true">/</kbd>
      <ul id="hits" class="hits" role="listbox" aria-label="Found" hidden={!isListed}>
        {hits.map((hit, index) => (
          <li
            key={`${hit.view.kind} ${hit.note} ${hit.title}`}
            id={`hit-${index}`}
            role="option"
            aria-selected={index === chosen.value}
            onPointerDown={(event) => event.preventDefault()}
            onClick={() => take(hit)}
          >
            <span class={`st ${hit.tone}`}>
              <Icon glyph={hit.glyph} />
            </span>
            <span class="one">
              <bdi class="title">{oneLine(hit.title, 90)}</bdi>
              <span class="id">{oneLine(hit.note, 50)}</span>
            </span>
          </li>
        ))}
        <li class="q" role="option" aria-selected={false} aria-disabled="true">
          {total === 0
            ? `Nothing matches “${oneLine(query, 40)}”.`
            : `${count(total)} found. Enter shows all of them in the table.`}
        </li>
      </ul>
    </div>
  );
}
