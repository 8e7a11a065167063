import type { Forecast } from '../domain/plan.ts';
import { type DrawnNode, draw } from './drawing.ts';

const STYLES: Record<DrawnNode['kind'], string> = {
  normal: '',
  critical: ', penwidth=3',
  broken: ', style=dashed, color=red',
  skipped: ', style=dotted, color=red',
  unselected: ', style=dotted',
};

/** A Graphviz graph: the critical path thick, `finished` dependencies dotted, broken workstreams dashed, skipped ones dotted. */
export function renderDot(forecast: Forecast): string {
  const { nodes, arrows } = draw(forecast);
  const lines = [
    'digraph plan {',
    '  rankdir=LR;',
    '  node [shape=box];',
    ...nodes.map(({ name, label, kind }) => `  ${name} [label=${quote(label)}${STYLES[kind]}];`),
    ...arrows.map(
      ({ from, to, whenFinished }) => `  ${from} -> ${to}${whenFinished ? ' [style=dotted]' : ''};`,
    ),
    '}',
  ];
  return `${lines.join('\n')}\n`;
}

/** A backslash begins an escape in a label, and `&` an HTML entity. */
function quote(label: string): string {
  return `"${label.replaceAll(/[\\"]/g, (char) => `\\${char}`).replaceAll('&', '&amp;')}"`;
}
