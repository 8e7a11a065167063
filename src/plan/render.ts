import type { Forecast } from '../domain/plan.ts';
import { oneLine, printableJson } from '../text/printable.ts';
import { planDocument } from './plan-document.ts';
import { renderText } from './render-text.ts';

export type PlanFormat = 'text' | 'mermaid' | 'dot' | 'json';

/** What a run will do, in one of its formats; ends with a line end. */
export function formatPlan(forecast: Forecast, format: PlanFormat): string {
  switch (format) {
    case 'text':
      return renderText(forecast);
    case 'mermaid':
      return renderMermaid(forecast);
    case 'dot':
      return renderDot(forecast);
    case 'json':
      return printableJson(planDocument(forecast));
  }
}

const STYLES: Record<DrawnNode['kind'], string> = {
  normal: '',
  critical: ', penwidth=3',
  broken: ', style=dashed, color=red',
  skipped: ', style=dotted, color=red',
  unselected: ', style=dotted',
};

/** A Graphviz graph: the critical path thick, `finished` dependencies dotted, broken workstreams dashed, skipped ones dotted. */
function renderDot(forecast: Forecast): string {
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
function renderMermaid(forecast: Forecast): string {
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

/** Escaped by Mermaid's own codes, which become HTML only when Mermaid has drawn its text. */
function escape(label: string): string {
  return label.replaceAll(/[^\p{L}\p{N} ._,:()/…→-]/gu, (char) => `#${char.codePointAt(0)};`);
}

/** The plan as nodes and arrows, before it is written in a notation. */
interface Drawing {
  nodes: DrawnNode[];
  arrows: Arrow[];
}

interface DrawnNode {
  /** A name that is safe in every notation: `n0`, `n1`, … */
  name: string;
  /** Printable text on one line, not yet quoted for a notation. */
  label: string;
  /** `unselected`: needed, and not part of this plan. */
  kind: 'normal' | 'critical' | 'broken' | 'skipped' | 'unselected';
}

/** Work flows from a dependency to what needs it. */
interface Arrow {
  from: string;
  to: string;
  /** True when any end of the dependency will do. */
  whenFinished: boolean;
}

/**
 * Workstreams that will be executed first, in dispatch order, then broken ones, skipped ones, and those that are not
 * part of the plan.
 */
function draw({ plan, skipped }: Forecast): Drawing {
  const names = new Map<string, string>();
  const nodes: DrawnNode[] = [];
  const addNode = (id: string, label: string, kind: DrawnNode['kind']): string => {
    const name = `n${nodes.length}`;
    nodes.push({ name, label: oneLine(label, 120), kind });
    names.set(id, name);
    return name;
  };
  const critical = new Set(plan.criticalPath.ids);
  for (const { id } of plan.workstreams) addNode(id, id, critical.has(id) ? 'critical' : 'normal');
  for (const { id, failure } of plan.broken) addNode(id, `${id} (${failure.reason})`, 'broken');
  for (const { id, reason } of skipped) addNode(id, `${id} (${reason})`, 'skipped');
  const arrows: Arrow[] = [];
  for (const { id, dependsOn } of [...plan.workstreams, ...skipped]) {
    const to = names.get(id) ?? '';
    const whenOf = new Map<string, boolean>();
    for (const { id: needed, when } of dependsOn) {
      whenOf.set(needed, when === 'finished' && whenOf.get(needed) !== false);
    }
    for (const [needed, whenFinished] of whenOf) {
      arrows.push({ from: names.get(needed) ?? addNode(needed, needed, 'unselected'), to, whenFinished });
    }
  }
  return { nodes, arrows };
}
