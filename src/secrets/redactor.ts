/** Replaces the secret values of variables by marks with their names. */
import type { Secret } from '../domain/agent-message.ts';
import { markOf, SecretMatcher, type Span } from './secret-matcher.ts';

/** At the end of text that was cut. */
const ELLIPSIS = '…';

/**
 * Made once for all secrets of a run. Redacting twice changes nothing. Without secrets everything is returned as it is.
 */
export class Redactor {
  /** With distinct values. */
  readonly secrets: readonly Secret[];
  readonly #inText: SecretMatcher | null;
  /** For bytes that were read as Latin-1. */
  readonly #inBytes: SecretMatcher | null;

  /** @param secrets each of at least 8 characters; of two with the same value the name of the first one is used. */
  constructor(secrets: readonly Secret[]) {
    this.secrets = firstOfEach(secrets);
    // A name may come from a definition: it must not contain the end of a mark, or characters with a meaning in JSON or XML.
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
   * As `text`, and also the beginning of a secret at the end, or before a final ellipsis: for text that was cut, or is
   * incomplete.
   */
  cutText(text: string): string {
    const clean = this.text(text);
    const begun = this.#begunIn(clean);
    return begun === null ? clean : withMarks(clean, [begun]);
  }

  #begunIn(text: string): Span | null {
    return this.#inText?.begunAtEnd(text.endsWith(ELLIPSIS) ? text.slice(0, -1) : text) ?? null;
  }

  /** JSON text with redacted values and keys; it stays JSON. Other text is redacted as by `text`. */
  json(text: string): string {
    if (this.#inText === null || !this.#inText.isIn(text)) return text;
    try {
      const value: unknown = JSON.parse(text);
      // Only in a number with more digits than a double has.
      if (!this.#holds(value, true)) return JSON.stringify(this.text(text));
      return JSON.stringify(this.#redacted(value, true));
    } catch {
      // It is no JSON, or nested too deep.
      return this.text(text);
    }
  }

  /**
   * The strings of a record of ours, but not its keys; those that end with an ellipsis as by `cutText`. The same object
   * where there is nothing to redact.
   */
  fields<T>(value: T): T {
    return this.#copy(value, false);
  }

  /** Strings, numbers and keys of data of workstreams. The same object where there is nothing to redact. */
  data<T>(value: T): T {
    return this.#copy(value, true);
  }

  /** Most bytes that a secret can take in a file; 0 without secrets. */
  get reach(): number {
    return this.#inBytes?.reach ?? 0;
  }

  /**
   * The places of secrets in bytes that were read as Latin-1.
   * @param isCut whether the beginning of one at the end counts too.
   */
  spans(latin1: string, isCut: boolean): Span[] {
    if (this.#inBytes === null) return [];
    const spans = this.#inBytes.spans(latin1);
    const begun = isCut ? this.#inBytes.begunAtEnd(latin1) : null;
    return begun === null || begun.start < (spans.at(-1)?.end ?? 0) ? spans : [...spans, begun];
  }

  /** Bytes of the same length, with marks over the secrets. The same object where there is nothing to redact. */
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

/** A replacement of a secret that has its length: its mark and asterisks, or asterisks alone. */
export function markOver({ start, end, name }: Span): string {
  const length = end - start;
  const mark = markOf(name);
  return mark.length > length || /[^ -~]/.test(mark) ? '*'.repeat(length) : mark.padEnd(length, '*');
}

/** Each value once: all workstreams of a matrix may have the same ones. */
function firstOfEach(secrets: readonly Secret[]): Secret[] {
  const first = new Map<string, Secret>();
  for (const secret of secrets) if (!first.has(secret.value)) first.set(secret.value, secret);
  return [...first.values()];
}
