import { describe, expect, test } from 'vitest';
import type {
  Broken,
  Forecast,
  LoadedFolder,
  Plan,
  PlannedContaining,
  PlannedTravel,
} from '../../src/domain/plan.ts';
import { makePlan } from '../../src/plan/plan.ts';
import { formatPlan } from '../../src/plan/render.ts';
import { makeFolder, newRun } from '../kit/make-workstream.ts';

const nasty: Broken = {
  id: 'say "hi" \\ <b>&amp;\n\u001b[31m#1`',
  title: 'nasty',
  source: { file: 'workstreams/nasty.json', position: 0 },
  failure: { reason: 'invalid-workstream', problems: ['line one\nline two'] },
};

const folder: LoadedFolder = {
  ...makeFolder(
    { id: 'fetch', conflictGroup: 'net', scopes: ['data/**'] },
    { id: 'build', needs: ['fetch', '~elsewhere'], conflictGroup: 'net' },
    { id: 'report', needs: ['~build', 'fetch', 'fetch'], scopes: ['data/out.csv'], parallelOk: false },
    { id: 'self', needs: ['self'] },
  ),
  broken: [nasty],
  problems: [
    {
      severity: 'warning',
      file: 'workstreams/all.json',
      line: 1,
      column: 2,
      path: 'titel',
      message: 'unknown field',
      workstreamId: 'fetch',
    },
  ],
};
const plan = makePlan(
  folder,
  new Map([
    ['fetch', 2],
    ['build', 65],
  ]),
  new Set(['elsewhere']),
);

describe('text', () => {
  test('counts, waves, critical path, conflicts, warnings, and what is broken last', () => {
    expect(formatPlan(newRun(plan), 'text')).toBe(`3 workstreams in 3 waves; 2 more can't run

Waves (each needs only those before it)
  1  fetch
  2  build
  3  report

Critical path (1m 40.5s expected)
  fetch (2s) → build (1m 5s) → report (33.5s)
  2 of 3 durations known from earlier runs; the others count as their median.

Never at the same time
  group net: fetch, build
  scope data: fetch, report
  alone: report

1 warning; \`millrace validate\` lists them.

Can't run
  say "hi" \\ <b>&amp; #1\` (workstreams/nasty.json): line one line two
  self (workstreams/all.json): It depends on itself: self → self. Remove one of these dependencies.
`);
  });

  test('an empty plan is one line', () => {
    expect(formatPlan(newRun(makePlan(makeFolder(), new Map())), 'text')).toBe('0 workstreams in 0 waves\n');
  });

  test('whatever is long says how much it leaves out', () => {
    const chain = Array.from({ length: 30 }, (_, n) => ({
      id: `c${n}`,
      needs: n === 0 ? [] : [`c${n - 1}`],
    }));
    const wide = Array.from({ length: 10 }, (_, n) => ({ id: `w${n}`, parallelOk: false }));
    const lost = Array.from({ length: 25 }, (_, n) => ({ id: `lost${n}`, needs: ['zzzzzzzzzz'] }));
    const text = formatPlan(newRun(makePlan(makeFolder(chain, wide, lost), new Map())), 'text');
    expect(text).toContain('   1  c0, w0, w1, w2, w3, w4, w5, w6, … 3 more\n');
    expect(text).toContain('  … 10 more waves with 10 workstreams\n');
    expect(text).toContain(
      '  c0 (1s) → c1 (1s) → c2 (1s) → c3 (1s) → … 22 more … → c26 (1s) → c27 (1s) → c28 (1s) → c29 (1s)\n',
    );
    expect(text).toContain('  No duration is known from earlier runs; each counts as 1 s.\n');
    expect(text).toContain('  alone: w0, w1, w2, w3, w4, w5, w6, w7, … 2 more\n');
    expect(text.endsWith('  … 5 more workstreams\n')).toBe(true);
  });
});

test('what is contained is told with whether this machine can', () => {
  const planned = newRun(makePlan(makeFolder({ id: 'a' }, { id: 'b' }), new Map()));
  const contained: PlannedContaining = {
    kind: 'bwrap',
    workstreams: ['a', 'b'],
    limitedNetworks: 1,
    obstacle: null,
  };
  const head = '2 workstreams are contained with bwrap, 1 of them with a limited network: a, b';
  expect(formatPlan({ ...planned, contained }, 'text')).toContain(
    `Sandbox\n  ${head}\n  This machine can contain them.\n`,
  );
  const refused = { ...contained, obstacle: 'there is no bwrap on PATH.' };
  expect(formatPlan({ ...planned, contained: refused }, 'text')).toContain(
    `  ${head}\n  A run on this machine refuses them (sandbox-unavailable): there is no bwrap on PATH.\n`,
  );
  expect(JSON.parse(formatPlan({ ...planned, contained: refused }, 'json'))).toMatchObject({
    containing: refused,
  });
});

test('what hosts of a queue get is told, with what they do not get', () => {
  const planned = newRun(makePlan(makeFolder({ id: 'a' }), new Map()));
  const travelling: PlannedTravel = {
    source: 'snapshot',
    snapshot: { files: 12, bytes: 4_300_000, compressedBytes: 61_250 },
    leftOut: [{ path: 'other', why: 'it is a repository of its own' }],
    missing: [{ id: 'a', what: 'names /x, which is outside the project' }],
    obstacle: null,
  };
  const lines = [
    '12 files travel, 61.3 KB compressed (4.3 MB before).',
    'Hosts do not get other: it is a repository of its own',
    'a names /x, which is outside the project',
  ];
  expect(formatPlan({ ...planned, travelling }, 'text')).toContain(
    `Hosts\n${lines.map((line) => `  ${line}\n`).join('')}`,
  );
  const refused: PlannedTravel = { ...travelling, snapshot: null, obstacle: 'It is too large.' };
  expect(formatPlan({ ...planned, travelling: refused }, 'text')).toContain(
    "Hosts\n  The project's files can't travel.\n",
  );
  expect(formatPlan({ ...planned, travelling: refused }, 'text')).toContain(
    '  A run refuses to begin: It is too large.\n',
  );
  expect(JSON.parse(formatPlan({ ...planned, travelling }, 'json'))).toMatchObject({ travelling });
});

test('what will be skipped is told in every format, and what stays of a resumed run', () => {
  const forecast: Forecast = {
    plan: makePlan(makeFolder({ id: 'fetch' }), new Map()),
    skipped: [
      {
        id: 'report',
        title: 'report',
        source: { file: 'workstreams/all.json', position: 1 },
        dependsOn: [{ id: 'build', when: 'completed' }],
        reason: 'dependency-failed',
        message: 'It needs "build", which is not part of this run.',
      },
    ],
    reserved: null,
    contained: null,
    travelling: null,
    kept: { completed: 2, failed: 1, skipped: 0 },
  };
  expect(formatPlan(forecast, 'text')).toBe(`1 workstream in 1 wave; 1 more will be skipped
Of the interrupted run stay: 2 completed, 1 failed, 0 skipped

Waves (each needs only those before it)
  1  fetch

Critical path (1s expected)
  fetch (1s)
  No duration is known from earlier runs; each counts as 1 s.

Will be skipped
  report (workstreams/all.json): It needs "build", which is not part of this run.
`);
  expect(formatPlan(forecast, 'mermaid')).toContain('n1["report (dependency-failed)"]:::skipped');
  expect(formatPlan(forecast, 'dot')).toContain('n1 [label="report (dependency-failed)", style=dotted');
  expect(JSON.parse(formatPlan(forecast, 'json'))).toMatchObject({
    totals: { workstreams: 2, runnable: 1, skipped: 1 },
    skipped: [{ id: 'report', file: 'workstreams/all.json', reason: 'dependency-failed' }],
    kept: { completed: 2, failed: 1, skipped: 0 },
  });
});

describe('mermaid', () => {
  test('a flowchart in which ids are text and nothing else', () => {
    expect(formatPlan(newRun(plan), 'mermaid')).toBe(`flowchart LR
  n0["fetch"]:::critical
  n1["build"]:::critical
  n2["report"]:::critical
  n3["say #34;hi#34; #92; #60;b#62;#38;amp#59; #35;1#96; (invalid-workstream)"]:::broken
  n4["self (cycle)"]:::broken
  n5["elsewhere"]:::unselected
  n0 --> n1
  n5 -.-> n1
  n1 -.-> n2
  n0 --> n2
  classDef critical stroke-width:4px
  classDef broken stroke:#c00,stroke-dasharray:4
  classDef skipped stroke:#c00,stroke-dasharray:2
  classDef unselected stroke-dasharray:2
`);
  });

  test('more edges than Mermaid draws are said', () => {
    const wide = Array.from({ length: 501 }, (_, n) => ({ id: `w${n}`, needs: ['all'] }));
    const text = formatPlan(newRun(makePlan(makeFolder({ id: 'all' }, wide), new Map())), 'mermaid');
    expect(text.split('\n')[0]).toMatch(
      /^%% 501 edges, \d+ characters: more than Mermaid draws \(500 and 50000\)/,
    );
    expect(text.split('\n')[1]).toBe('flowchart LR');
  });
});

test('dot: a graph in which ids are quoted', () => {
  expect(formatPlan(newRun(plan), 'dot')).toBe(`digraph plan {
  rankdir=LR;
  node [shape=box];
  n0 [label="fetch", penwidth=3];
  n1 [label="build", penwidth=3];
  n2 [label="report", penwidth=3];
  n3 [label="say \\"hi\\" \\\\ <b>&amp;amp; #1\` (invalid-workstream)", style=dashed, color=red];
  n4 [label="self (cycle)", style=dashed, color=red];
  n5 [label="elsewhere", style=dotted];
  n0 -> n1;
  n5 -> n1 [style=dotted];
  n1 -> n2 [style=dotted];
  n0 -> n2;
}
`);
});

test('json: one document of version 1', () => {
  const text = formatPlan(newRun(plan), 'json');
  const document: unknown = JSON.parse(text);
  expect(text.endsWith('}\n')).toBe(true);
  expect(document).toEqual({
    version: 1,
    totals: { workstreams: 5, runnable: 3, broken: 2, skipped: 0, waves: 3 },
    workstreams: [
      expect.objectContaining({ id: 'fetch', wave: 1, expectedSeconds: 2, conflictGroup: 'net' }),
      expect.objectContaining({
        id: 'build',
        wave: 2,
        expectedSeconds: 65,
        file: 'workstreams/all.json',
        position: 1,
      }),
      {
        id: 'report',
        title: 'report',
        file: 'workstreams/all.json',
        position: 2,
        priority: 0,
        wave: 3,
        expectedSeconds: 33.5,
        dependsOn: [
          { id: 'build', when: 'finished' },
          { id: 'fetch', when: 'completed' },
          { id: 'fetch', when: 'completed' },
        ],
        conflictGroup: null,
        parallelOk: false,
        scopes: ['data/out.csv'],
        cpus: null,
        memoryMb: null,
      },
    ],
    waves: [['fetch'], ['build'], ['report']],
    criticalPath: { ids: ['fetch', 'build', 'report'], seconds: 100.5 },
    knownDurations: 2,
    conflicts: plan.conflicts,
    broken: [
      expect.objectContaining({ id: nasty.id, reason: 'invalid-workstream', message: 'line one\nline two' }),
      {
        id: 'self',
        title: 'self',
        file: 'workstreams/all.json',
        position: 3,
        reason: 'cycle',
        message: 'It depends on itself: self → self. Remove one of these dependencies.',
      },
    ],
    skipped: [],
    kept: null,
    resources: null,
    containing: null,
    travelling: null,
    problems: plan.problems satisfies Plan['problems'],
  });
});
