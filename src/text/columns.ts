import stringWidth from 'string-width';

/** Characters that take one column each, whatever stands beside them: nearly all of any report and of any frame. */
const SIMPLE =
  /^[ -~\u{A0}-\u{AC}\u{AE}-\u{2FF}\u{2010}-\u{2027}\u{2030}-\u{205E}\u{2190}-\u{22FF}\u{2500}-\u{25FC}\u{2713}-\u{2717}]*$/u;

/** Columns that a text takes on a terminal. To measure other than simple text takes a hundred times longer. */
export function columnsOf(text: string): number {
  return SIMPLE.test(text) ? text.length : stringWidth(text);
}
