/** Finds many texts in another one at once. */

/** Where a secret stands. */
export interface Span {
  start: number;
  end: number;
  /** Of the variable. */
  name: string;
}

/** What is put in the place of a secret. */
export const markOf = (name: string): string => `[redacted: ${name}]`;

/** So many characters of a beginning are taken for it; fewer are anything. */
const BEGINNING = 6;

/** One regular expression, made once. Of two forms that begin at the same place the longer one is found. */
export class SecretMatcher {
  readonly #names: ReadonlyMap<string, string>;
  readonly #forms: string[];
  /** Length of the longest form. */
  readonly longest: number;
  readonly #shortest: number;
  readonly #any: RegExp;
  readonly #all: RegExp;
  readonly #beginnings: RegExp;

  /** @param names by form; there is at least one. */
  constructor(names: ReadonlyMap<string, string>) {
    this.#names = names;
    this.#forms = [...names.keys()].toSorted((a, b) => b.length - a.length);
    this.longest = this.#forms[0]?.length ?? 0;
    this.#shortest = this.#forms.at(-1)?.length ?? 0;
    const either = this.#forms.map(literal).join('|');
    this.#any = new RegExp(either);
    // A mark that was put in place before stays, whatever the name in it looks like.
    const marks = [...new Set(names.values())].map((name) => literal(markOf(name)));
    this.#all = new RegExp(`${marks.join('|')}|${either}`, 'g');
    const beginnings = new Set(this.#forms.map((form) => literal(form.slice(0, BEGINNING))));
    this.#beginnings = new RegExp([...beginnings].join('|'), 'g');
  }

  isIn(text: string): boolean {
    return text.length >= this.#shortest && this.#any.test(text);
  }

  spans(text: string): Span[] {
    const spans: Span[] = [];
    for (const { 0: found, index } of text.matchAll(this.#all)) {
      const name = this.#names.get(found);
      if (name !== undefined) spans.push({ start: index, end: index + found.length, name });
    }
    return spans;
  }

  /** The beginning of a form that the text ends with; null where there is none. */
  begunAtEnd(text: string): Span | null {
    const from = Math.max(0, text.length - this.longest + 1);
    this.#beginnings.lastIndex = from;
    for (let found = this.#beginnings.exec(text); found !== null; found = this.#beginnings.exec(text)) {
      const rest = text.slice(found.index);
      const form = this.#forms.find((each) => each.startsWith(rest));
      if (form !== undefined) {
        return { start: found.index, end: text.length, name: this.#names.get(form) ?? '' };
      }
      this.#beginnings.lastIndex = found.index + 1;
    }
    return null;
  }
}

const literal = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
