import type { Plan } from '../domain/plan.ts';
import { printableJson } from '../support/printable-json.ts';
import { planDocument } from './plan-document.ts';
import { renderDot } from './render-dot.ts';
import { renderMermaid } from './render-mermaid.ts';
import { renderText } from './render-text.ts';

export type PlanFormat = 'text' | 'mermaid' | 'dot' | 'json';

/** The plan in one of its formats; ends with a line end. */
export function formatPlan(plan: Plan, format: PlanFormat): string {
  switch (format) {
    case 'text':
      return renderText(plan);
    case 'mermaid':
      return renderMermaid(plan);
    case 'dot':
      return renderDot(plan);
    case 'json':
      return printableJson(planDocument(plan));
  }
}
