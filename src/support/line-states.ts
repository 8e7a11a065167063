const BACK_TO_START = '\r';
/** Erases what is to the right of the cursor, or the whole line. */
// biome-ignore lint: the escape is the point
// oxlint-disable-next-line no-control-regex
const ERASES = /\u001b\[[02]?K/;

/**
 * The text as a terminal shows it in the end where programs went back to the start of a line to write over it, as they do
 * to show progress: of each line its last state.
 */
export function lastStates(text: string): string {
  if (!text.includes(BACK_TO_START)) return text;
  return text
    .replaceAll('\r\n', '\n')
    .split('\n')
    .map((line) => (line.includes(BACK_TO_START) ? lastState(line) : line))
    .join('\n');
}

/** Of what was written before, the part stays that is longer than what was written over it. */
function lastState(line: string): string {
  let shown: string[] = [];
  for (const state of line.split(BACK_TO_START).toReversed()) {
    if (state === '') continue;
    const characters = Array.from(state);
    if (shown.length < characters.length) shown = shown.concat(characters.slice(shown.length));
    if (ERASES.test(state)) break;
  }
  return shown.join('');
}
