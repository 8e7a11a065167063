/** Reads the document of the run out of the page. */
import { type PackedDocument, type PageDocument, unpackDocument } from '../domain/page-document.ts';

/** @throws where the page is not whole, or the browser has no `DecompressionStream`. */
export async function readDocument(): Promise<PageDocument> {
  const holder = document.getElementById('document');
  if (!(holder instanceof HTMLTemplateElement)) throw new Error('this page has no document');
  const bytes = Uint8Array.from(atob(holder.content.textContent ?? ''), (char) => char.charCodeAt(0));
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  const packed: PackedDocument = await new Response(unpacked).json();
  return unpackDocument(packed);
}
