/** Puts the names of variables in the place of their secret values. */
import { markOf, type NamedValue, SecretMatcher, type Span } from './secret-matcher.ts';

/** At the end of text that was cut. */
const ELLIPSIS = '…';

/**
 * Made once for all secrets of a run. What it has redacted it leaves as it is. Without secrets everything is given
 * back untouched.
 */
export class Redactor {
  /** Each value once. */
  readonly secrets: readonly NamedValue[];
  readonly #inText: SecretMatcher | null;
  /** For bytes that were read as Latin-1. */
  readonly #inBytes: SecretMatcher | null;

  /** @param secrets each of at least 8 characters; of two with the same value the first one gives the name. */
  constructor(secrets: readonly NamedValue[]) {
    this.secrets = firstOfEach(secrets);
    // A name may come from a definition, and must not look like the end of a mark, or mean something in JSON or XML.
    const shown = this.secrets.map(({ name, value }) => ({
      name: name.replaceAll(/[\]\s"\\<>&]/g, '_'),
      value,
    }));
    const isIdle = shown.length === 0;
    this.#inText = isIdle ? null : new SecretMatcher(shown);
    this.#inBytes = isIdle ? null : new SecretMatcher(shown, (text) => Buffer.from(text).toString('latin1'));
  }

  /** Whether there is nothing to redact. */
  get isIdle(): boolean {
    return this.#inText === null;
  }

  text(text: string): string {
    const spans = this.#inText?.spans(text) ?? [];
    return spans.length === 0 ? text : withMarks(text, spans);
  }

  /**
   * As `text`, and also the beginning of a secret at the end, or before a final ellipsis: of text that was cut, or is not
   * complete yet.
   */
  cutText(text: string): string {
    const clean = this.text(text);
    const begun = this.#begunIn(clean);
    return begun === null ? clean : withMarks(clean, [begun]);
  }

  #begunIn(text: string): Span | null {
    return this.#inText?.begunAtEnd(text.endsWith(ELLIPSIS) ? text.slice(0, -1) : text) ?? null;
  }

  /** What stands in JSON text, keys too; it stays JSON. Other text is redacted as `text` does. */
  json(text: string): string {
    if (this.#inText === null || !this.#inText.isIn(text)) return text;
    try {
      const value: unknown = JSON.parse(text);
      // A number with more digits than it can hold.
      if (!this.#holds(value, true)) return JSON.stringify(this.text(text));
      return JSON.stringify(this.#redacted(value, true));
    } catch {
      // It is no JSON, or too deep.
      return this.text(text);
    }
  }

  /**
   * The strings of a record whose keys are ours; those that end with an ellipsis as `cutText` does. The same object where
   * there is nothing to redact.
   */
  fields<T>(value: T): T {
    return this.#copy(value, false);
  }

  /** Data of others: strings, numbers and keys. The same object where there is nothing to redact. */
  data<T>(value: T): T {
    return this.#copy(value, true);
  }

  /** Most bytes that a secret can take in a file; 0 without secrets. */
  get reach(): number {
    return this.#inBytes?.reach ?? 0;
  }

  /**
   * Where secrets stand in bytes that were read as Latin-1.
   * @param isCut whether the beginning of one at the end counts too.
   */
  spans(latin1: string, isCut: boolean): Span[] {
    if (this.#inBytes === null) return [];
    const spans = this.#inBytes.spans(latin1);
    const begun = isCut ? this.#inBytes.begunAtEnd(latin1) : null;
    return begun === null || begun.start < (spans.at(-1)?.end ?? 0) ? spans : [...spans, begun];
  }

  /** Bytes with the marks over the secrets, so that none of them moves. The same where there is nothing to redact. */
  bytes(bytes: Uint8Array): Uint8Array {
    if (this.isIdle) return bytes;
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const spans = this.spans(view.toString('latin1'), false);
    if (spans.length === 0) return bytes;
    const clean = Buffer.from(view);
    for (const span of spans) clean.write(markOver(span), span.start, 'latin1');
    return clean;
  }

  #copy<T>(value: T, isData: boolean): T {
    if (this.#inText === null || !this.#holds(value, isData)) return value;
    const copy: T = JSON.parse(JSON.stringify(this.#redacted(value, isData)));
    return copy;
  }

  /** Without recursion: data may be nested as deep as JSON can be. */
  #holds(value: unknown, isData: boolean): boolean {
    if (this.#isFound(value, isData)) return true;
    const open = [value];
    while (open.length > 0) {
      const next = open.pop();
      if (typeof next !== 'object' || next === null) continue;
      if (isData && Object.keys(next).some((key) => this.#isFound(key, true))) return true;
      for (const child of Object.values(next)) {
        if (typeof child === 'object') open.push(child);
        else if (this.#isFound(child, isData)) return true;
      }
    }
    return false;
  }

  #isFound(value: unknown, isData: boolean): boolean {
    if (typeof value === 'string') {
      return (
        this.#inText?.isIn(value) === true || (value.endsWith(ELLIPSIS) && this.#begunIn(value) !== null)
      );
    }
    return isData && typeof value === 'number' && this.#inText?.isIn(String(value)) === true;
  }

  #redacted(value: unknown, isData: boolean): unknown {
    if (typeof value === 'string') return value.endsWith(ELLIPSIS) ? this.cutText(value) : this.text(value);
    if (typeof value === 'number') return isData ? this.#number(value) : value;
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map((item) => this.#redacted(item, isData));
    const entries = Object.entries(value).map(
      ([key, child]) => [isData ? this.text(key) : key, this.#redacted(child, isData)] as const,
    );
    return Object.fromEntries(entries);
  }

  #number(value: number): number | string {
    const text = String(value);
    const clean = this.text(text);
    return clean === text ? value : clean;
  }
}

function withMarks(text: string, spans: readonly Span[]): string {
  let clean = '';
  let from = 0;
  for (const { start, end, name } of spans) {
    clean += text.slice(from, start) + markOf(name);
    from = end;
  }
  return clean + text.slice(from);
}

/** What is put over a secret where its place must not change: its mark and asterisks, or these alone. */
export function markOver({ start, end, name }: Span): string {
  const length = end - start;
  const mark = markOf(name);
  return mark.length > length || /[^ -~]/.test(mark) ? '*'.repeat(length) : mark.padEnd(length, '*');
}

/** Every workstream of a matrix may have the same ones. */
function firstOfEach(secrets: readonly NamedValue[]): NamedValue[] {
  const first = new Map<string, NamedValue>();
  for (const secret of secrets) if (!first.has(secret.value)) first.set(secret.value, secret);
  return [...first.values()];
}
