/**
 * Every view of the dashboard, each in all states that it has, so that tests can walk them. A view that is added to
 * src/web/model/place.ts needs an entry: the compiler asks for it.
 */
import type { Page } from 'playwright-core';
import type { PageView } from '../../src/web/model/place.ts';
import { oddId, REFUSED, SHOWN, type ShownRun } from '../kit/shown-runs.ts';

/** The name of a view: its kind, and which list or history it is. */
type NameOf<View> = View extends { kind: 'overview'; name: infer Name extends string }
  ? `overview ${Name}`
  : View extends { kind: 'history'; of: infer Of extends string }
    ? `history ${Of}`
    : View extends { kind: infer Kind extends string }
      ? Kind
      : never;
export type ViewName = NameOf<PageView>;

export function nameOf(view: PageView): ViewName {
  if (view.kind === 'overview') return `overview ${view.name}`;
  return view.kind === 'history' ? `history ${view.of}` : view.kind;
}

/** A view in one of its states. */
export interface ShownView {
  fragment: string;
  /** Its heading once it is whole. */
  heading: RegExp;
  /** What a reader does there. */
  act?: (page: Page) => Promise<void>;
}

const inRun = (run: ShownRun, path = ''): string => `#/run/${SHOWN[run]}${path}`;

const withDialog =
  (button: string) =>
  async (page: Page): Promise<void> => {
    await page.getByRole('button', { name: button, exact: true }).click();
    await page.getByRole('dialog').waitFor();
  };

const withDetails = (page: Page): Promise<void> =>
  page.evaluate(() => {
    for (const each of document.querySelectorAll('details')) each.open = true;
  });

/** Charts as their tables. */
async function withTables(page: Page): Promise<void> {
  for (const button of await page.getByRole('button', { name: 'Table', exact: true }).all())
    await button.click();
}

async function withHits(page: Page): Promise<void> {
  await page.getByRole('combobox').fill('users');
  await page.getByRole('option', { name: 'ws-users-index' }).waitFor();
}

export const VIEWS: Record<ViewName, readonly ShownView[]> = {
  'overview runs': [
    { fragment: '#/runs', heading: /2 runs are under way/ },
    { fragment: '#/runs?q=nothing+of+this', heading: /2 runs are under way/ },
    { fragment: '#/runs', heading: /2 runs are under way/, act: withDialog('Keys') },
  ],
  'overview workstreams': [
    { fragment: '#/workstreams', heading: /failed in their last run/ },
    { fragment: '#/workstreams?q=nothing+of+this', heading: /./ },
  ],
  'overview patterns': [{ fragment: '#/patterns', heading: /error patterns/ }],
  'overview trends': [
    { fragment: '#/trends', heading: /workstreams/ },
    { fragment: '#/trends', heading: /workstreams/, act: withTables },
  ],
  'overview tools': [{ fragment: '#/tools', heading: /tool/ }],
  'history workstreams': [
    { fragment: '#/workstreams/ws-users-index', heading: /failed in its last run/ },
    { fragment: '#/workstreams/ws-users-index', heading: /failed in its last run/, act: withTables },
    { fragment: '#/workstreams/ws-report-1', heading: /was skipped in its last run/ },
    { fragment: `#/workstreams/${oddId(0)}`, heading: /in its last run/ },
    { fragment: '#/workstreams/nothing', heading: /nothing/ },
  ],
  'history patterns': [
    { fragment: `#/patterns/${REFUSED}`, heading: /ECONNREFUSED/ },
    { fragment: '#/patterns/nothing', heading: /nothing/ },
  ],
  run: [
    { fragment: inRun('live'), heading: /12 of 24 have ended/ },
    { fragment: inRun('live'), heading: /12 of 24 have ended/, act: withDetails },
    { fragment: inRun('live'), heading: /12 of 24 have ended/, act: withDialog('Stop the run …') },
    { fragment: inRun('live'), heading: /12 of 24 have ended/, act: withDialog('Stop Merge the orders …') },
    { fragment: inRun('oddLive'), heading: /4 of 7 have ended/ },
    { fragment: inRun('mixed'), heading: /3 of 24 workstreams failed/ },
    { fragment: inRun('mixed', '?open=ws-users-index&graph=1'), heading: /3 of 24/, act: withDetails },
    { fragment: inRun('mixed'), heading: /3 of 24/, act: withTables },
    { fragment: inRun('mixed'), heading: /3 of 24/, act: withHits },
    { fragment: inRun('interrupted'), heading: /Interrupted after 10 of 24/ },
    { fragment: inRun('sweep'), heading: /18 of 20 cells/ },
    { fragment: inRun('backlog', '?open=ws-tokens'), heading: /3 of 5 tasks/ },
    { fragment: inRun('allFailed'), heading: /All 12 workstreams failed/ },
    { fragment: inRun('allSkipped'), heading: /all 12 workstreams were skipped/ },
    { fragment: inRun('oddTitles'), heading: /3 of 7 workstreams failed/ },
    { fragment: inRun('fanOut', '?all=1'), heading: /1 of 201 workstreams failed/ },
    { fragment: '#/run/nothing', heading: /no run nothing/ },
  ],
  workstream: [
    { fragment: inRun('live', '/workstream/ws-orders-merge'), heading: /Merge the orders is running/ },
    {
      fragment: inRun('live', '/workstream/ws-orders-merge'),
      heading: /Merge the orders is running/,
      act: withDialog('Stop it …'),
    },
    { fragment: inRun('live', '/workstream/ws-orders-publish'), heading: /has not ended/ },
    { fragment: inRun('mixed', '/workstream/ws-users-index'), heading: /Index the users failed/ },
    { fragment: inRun('mixed', '/workstream/ws-users-merge'), heading: /was skipped/ },
    { fragment: inRun('backlog', '/workstream/ws-printer'), heading: /Write the printer/ },
    { fragment: inRun('backlog', '/workstream/ws-tokens'), heading: /Write the tokens/ },
    { fragment: inRun('mixed', '/workstream/nothing'), heading: /No workstream nothing/ },
    ...[0, 1, 2, 4].map((index) => ({
      fragment: inRun('oddTitles', `/workstream/${oddId(index)}`),
      heading: /completed|failed/,
    })),
  ],
  pattern: [
    { fragment: inRun('mixed', `/pattern/${REFUSED}`), heading: /ECONNREFUSED/ },
    { fragment: inRun('mixed', '/pattern/nothing'), heading: /nothing/ },
  ],
  log: [
    { fragment: inRun('mixed', '/log/ws-users-index'), heading: /Log of Index the users/ },
    { fragment: inRun('oddTitles', `/log/${oddId(1)}`), heading: /Log of x/ },
    { fragment: inRun('live', '/log/ws-orders-merge'), heading: /Log of Merge the orders/ },
    { fragment: inRun('mixed', '/log/nothing'), heading: /nothing/ },
  ],
  logs: [
    { fragment: inRun('live', '/logs'), heading: /What all workstreams print/ },
    { fragment: inRun('mixed', '/logs'), heading: /What all workstreams print/ },
  ],
};
