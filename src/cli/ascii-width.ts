import { stripVTControlCharacters } from 'node:util';

/**
 * How wide a text of ASCII characters is on a terminal. The build puts it in the place of the string-width package
 * for laying out help, which has nothing else: that package's tables of wide characters take half of the time that
 * `millrace --help` has.
 */
export default function asciiWidth(text: string): number {
  return stripVTControlCharacters(text).length;
}
