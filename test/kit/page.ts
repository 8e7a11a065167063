/** Takes a page apart. */
import { inflateRawSync } from 'node:zlib';
import { type PageDocument, unpackDocument } from '../../src/domain/page-document.ts';

/** The document in the text of a page. */
export function documentIn(html: string): PageDocument {
  return unpackDocument(JSON.parse(inflateRawSync(Buffer.from(templateIn(html), 'base64')).toString()));
}

/** What the page has but its document. */
export const withoutDocument = (html: string): string => html.replace(templateIn(html), '');

const templateIn = (html: string): string => partIn(html, 'template', ' id="document"');

/** What is in the only element of this name. */
export function partIn(html: string, name: string, attributes = ''): string {
  const [, part, ...others] = html.split(`<${name}${attributes}>`);
  if (part === undefined || others.length > 0) throw new Error(`not one ${name}`);
  return part.slice(0, part.indexOf(`</${name}>`));
}
