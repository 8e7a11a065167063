import type { Forecast } from '../domain/plan.ts';
import { printableJson } from '../support/printable-json.ts';
import { planDocument } from './plan-document.ts';
import { renderDot } from './render-dot.ts';
import { renderMermaid } from './render-mermaid.ts';
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
