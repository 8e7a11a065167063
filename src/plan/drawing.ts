import type { Forecast } from '../domain/plan.ts';
import { oneLine } from '../support/printable.ts';

/** The plan as nodes and arrows, before it is written in a notation. */
export interface Drawing {
  nodes: DrawnNode[];
  arrows: Arrow[];
}

export interface DrawnNode {
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
 * Workstreams that will be executed first, in handing-out order, then broken ones, skipped ones, and those that are not
 * part of the plan.
 */
export function draw({ plan, skipped }: Forecast): Drawing {
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
