/** A place in a file as editors count it: from 1, columns in UTF-16 code units. */
export interface Place {
  line: number;
  column: number;
}

/** Places of the offsets, in their order; one pass over the text for all of them. */
export function placesOf(text: string, offsets: readonly number[]): Place[] {
  const places: Place[] = offsets.map(() => ({ line: 1, column: 1 }));
  const order = offsets.map((offset, index) => ({ offset, index })).toSorted((a, b) => a.offset - b.offset);
  let line = 1;
  let start = 0;
  let end = text.indexOf('\n');
  for (const { offset, index } of order) {
    while (end !== -1 && end < offset) {
      line++;
      start = end + 1;
      end = text.indexOf('\n', start);
    }
    places[index] = { line, column: offset - start + 1 };
  }
  return places;
}
