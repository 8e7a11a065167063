import type { Forecast } from '../domain/plan.ts';
import { type DrawnNode, draw } from './drawing.ts';

/** What Mermaid draws unless its settings `maxEdges` and `maxTextSize` (characters) say otherwise. */
const MAX_EDGES = 500;
const MAX_TEXT = 50_000;

const CLASSES: Record<DrawnNode['kind'], string> = {
  normal: '',
  critical: ':::critical',
  broken: ':::broken',
  skipped: ':::skipped',
  unselected: ':::unselected',
};

/** A Mermaid flowchart: the critical path thick, `finished` dependencies dotted, broken and skipped ones dashed. */
export function renderMermaid(forecast: Forecast): string {
  const { nodes, arrows } = draw(forecast);
  const lines = [
    'flowchart LR',
    ...nodes.map(({ name, label, kind }) => `  ${name}["${escape(label)}"]${CLASSES[kind]}`),
    ...arrows.map(({ from, to, whenFinished }) => `  ${from} ${whenFinished ? '-.->' : '-->'} ${to}`),
    '  classDef critical stroke-width:4px',
    '  classDef broken stroke:#c00,stroke-dasharray:4',
    '  classDef skipped stroke:#c00,stroke-dasharray:2',
    '  classDef unselected stroke-dasharray:2',
  ];
  const text = `${lines.join('\n')}\n`;
  if (arrows.length <= MAX_EDGES && text.length <= MAX_TEXT) return text;
  return `%% ${arrows.length} edges, ${text.length} characters: more than Mermaid draws (${MAX_EDGES} and ${MAX_TEXT}) unless maxEdges and maxTextSize are raised\n${text}`;
}

/** As Mermaid's own codes, which are no HTML until Mermaid has made its text of them. */
function escape(label: string): string {
  return label.replaceAll(/[^\p{L}\p{N} ._,:()/…→-]/gu, (char) => `#${char.codePointAt(0)};`);
}
