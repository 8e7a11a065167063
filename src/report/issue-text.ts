/** What an issue and a pull request say of a workstream, as Markdown. Texts of workstreams can't break out of it. */
import type { PhrasingContent } from 'mdast';
import type { AgentResult, TestSummary } from '../domain/agent-result.ts';
import { spendingOf } from '../domain/tool-report.ts';
import type { AcceptanceTest, Workstream } from '../domain/workstream.ts';
import { dollars, plural, seconds } from '../text/format.ts';
import { oneLine } from '../text/printable.ts';
import { type Block, code, codes, glue, heading, list, paragraph, table, text } from './nodes.ts';
import { serialise } from './serialise.ts';

/** Longest title that GitHub takes. */
const TITLE = 250;

/** Most elements of a list in it. */
const LISTED = 100;

/** The title of an issue or a pull request. */
export const issueTitle = ({ id, title }: Pick<Workstream, 'id' | 'title'>): string =>
  title === id ? id : oneLine(`${id}: ${title}`, TITLE);

/** What an issue says beside the definition. */
export interface IssueFacts {
  /** Number of the issue of each workstream that has one, by id. */
  numbers: ReadonlyMap<string, number>;
  /** The last result of each of its members; empty where none was run. */
  results: readonly AgentResult[];
  /** What the issue said before, with the boxes that people ticked; null for nothing. */
  before: string | null;
}

/** @param base of a workstream with a matrix, one of its members. */
export function issueText(base: Workstream, facts: IssueFacts): string {
  return serialise([
    ...(base.description === null ? [] : [paragraph(...told(base.description))]),
    ...tasks(base),
    ...scope(base),
    ...acceptance(base, facts),
    ...dependencies(base, facts.numbers),
    ...lastRun(facts.results),
    paragraph(
      ...note(`Kept by Millrace from `),
      code(base.source.file),
      '. What is written outside of this part stays.',
    ),
  ]);
}

const note = (words: string): PhrasingContent[] => [glue(words)];

/**
 * Text in which nothing calls a person, refers to an issue or closes one. An empty comment parts the sign from the name.
 * Addresses become code in any case.
 */
function told(value: string): PhrasingContent[] {
  const parts = oneLine(value, 4_000).split(/(?<=@)(?=[A-Za-z0-9])|(?<=#)(?=\d)|(?<=\bGH-)(?=\d)/i);
  return parts.flatMap((part, index): PhrasingContent[] =>
    index === 0 ? [text(part)] : [{ type: 'html', value: '<!-- -->' }, glue(part)],
  );
}

function tasks({ steps }: Workstream): Block[] {
  const items = steps.flatMap((step): PhrasingContent[][] => {
    if (step.kind === 'tool') return step.tasks.map(told);
    if (step.kind === 'module')
      return [
        [
          glue('Module '),
          code(
            step.export === 'default' ? moduleName(step.module) : `${moduleName(step.module)}#${step.export}`,
          ),
        ],
      ];
    return [[glue('Command '), code(step.kind === 'run' ? step.run : step.command.join(' '))]];
  });
  return section('Tasks', items, true);
}

const moduleName = (path: string): string => path.split('/').slice(-2).join('/');

function scope({ filesScope, filesCreate }: Workstream): Block[] {
  const items = [
    ...filesScope.map((path) => [code(path)]),
    ...filesCreate.map((path) => [code(path), glue(' (new)')]),
  ];
  return section('Scope', items);
}

const BOX = /^[-*] \[([ xX])\] (.*)$/;

/**
 * Acceptance as a check list. A command is ticked when it passed in the last run; what a person checks stays ticked as a
 * person left it.
 */
function acceptance({ acceptanceTests, testGates }: Workstream, { results, before }: IssueFacts): Block[] {
  const ticked = new Set(
    (before ?? '').split('\n').flatMap((line) => {
      const [, box = ' ', label = ''] = BOX.exec(line) ?? [];
      return box === ' ' ? [] : [label];
    }),
  );
  const names = [...acceptanceTests.map(nameOf), ...testGates.map(({ type }) => type)];
  const lines = names.slice(0, LISTED).map((name) => {
    const label = serialise([paragraph(code(name))]).trim();
    const status = statusOf(name, results);
    const isDone = status === 'passed' || (status === 'manual' && ticked.has(label));
    return `- [${isDone ? 'x' : ' '}] ${label}`;
  });
  if (lines.length === 0) return [];
  const left = names.length - lines.length;
  const more = left > 0 ? [paragraph(`and ${left} more`)] : [];
  // The serialiser has no nodes for check lists, which are GitHub's own.
  return [heading(3, 'Acceptance'), { type: 'html', value: lines.join('\n') }, ...more];
}

const nameOf = (test: AcceptanceTest): string => (test.kind === 'run' ? (test.name ?? test.text) : test.text);

/** In all members: passed where it passed in each; `manual` also where nothing has run yet. */
function statusOf(name: string, results: readonly AgentResult[]): 'passed' | 'failed' | 'manual' {
  const found = results.map(
    ({ testResults }) => testResults.tests.find((test) => test.name === name)?.status,
  );
  if (found.length === 0 || found.includes('manual')) return 'manual';
  return found.every((status) => status === 'passed') ? 'passed' : 'failed';
}

function dependencies({ dependsOn }: Workstream, numbers: ReadonlyMap<string, number>): Block[] {
  const items = dependsOn.map(({ id, when }) => {
    const number = numbers.get(id);
    const rest = `${number === undefined ? '' : ` #${number}`}${when === 'finished' ? ' (however it ends)' : ''}`;
    return [code(id), glue(rest)];
  });
  return section('Depends on', items);
}

function section(title: string, items: readonly PhrasingContent[][], ordered = false): Block[] {
  if (items.length === 0) return [];
  const left = items.length - LISTED;
  const more = left > 0 ? [paragraph(`and ${left} more`)] : [];
  return [heading(3, title), list(ordered, items.slice(0, LISTED)), ...more];
}

function lastRun(results: readonly AgentResult[]): Block[] {
  const [first] = results;
  if (first === undefined) return [];
  if (results.length === 1) return [heading(3, 'Last run'), paragraph(...verdictOf(first))];
  const rows = results
    .slice(0, LISTED)
    .map(({ workstreamId, status, runId, explanation }) => [
      [code(workstreamId)],
      status,
      [code(runId)],
      told(explanation ?? ''),
    ]);
  return [heading(3, 'Last run'), table(['Workstream', 'Status', 'Run', 'Why'], rows)];
}

function verdictOf({ status, runId, explanation, attempts }: AgentResult): PhrasingContent[] {
  const tries = attempts > 1 ? ` after ${plural(attempts, 'attempt')}` : '';
  const why = explanation === null ? [glue('.')] : [glue(': '), ...told(explanation)];
  return [glue(`${status}${tries} in `), code(runId), ...why];
}

/** What a pull request says of a workstream whose work was accepted. */
export interface PullFacts {
  result: AgentResult;
  /** The workstream as it is defined now; null where it is in no file any more. */
  definition: Workstream | null;
  /** Number of its issue, which the merge closes; null for none. */
  issue: number | null;
}

export function pullTitle({ result }: Pick<PullFacts, 'result'>): string {
  return issueTitle({ id: result.workstreamId, title: result.metadata.title });
}

/** The body of a pull request for one workstream. */
export function pullText(facts: PullFacts): string {
  return serialise([...pullBlocks(facts), provenance(facts.result.runId)]);
}

/** The body of a pull request for all accepted work of a run. */
export function runPullText(runId: string, works: readonly PullFacts[]): string {
  const shown = works.slice(0, LISTED);
  const left = works.length - shown.length;
  return serialise([
    table(
      ['Workstream', 'Title', 'Tests', 'Cost'],
      shown.map(({ result }) => [
        [code(result.workstreamId)],
        told(result.metadata.title),
        testsLine(result.testResults),
        costOf(result),
      ]),
    ),
    ...(left > 0 ? [paragraph(`and ${plural(left, 'more workstream')}`)] : []),
    ...shown.flatMap((work) => [
      heading(2, code(work.result.workstreamId), glue(' '), ...told(work.result.metadata.title)),
      ...pullBlocks(work),
    ]),
    provenance(runId),
  ]);
}

function pullBlocks({ result, definition, issue }: PullFacts): Block[] {
  const { metadata, testResults, durationSeconds } = result;
  const models = [
    ...new Set(metadata.tools.map(({ tool, model }) => (model === null ? tool : `${tool} (${model})`))),
  ];
  const facts: [string, PhrasingContent[]][] = [
    ['Verdict', verdictOf(result)],
    ['Tests', [glue(testsLine(testResults))]],
    ['Cost', [glue(costOf(result))]],
    ['Time', [glue(seconds(durationSeconds))]],
    ...(models.length === 0 ? [] : [['By', codes(models, 5)] satisfies [string, PhrasingContent[]]]),
    ['Files', [glue(String(result.filesModified.length))]],
  ];
  return [
    ...(issue === null ? [] : [paragraph(`Closes #${issue}`)]),
    ...(definition === null ? [] : tasks(definition)),
    heading(3, 'Result'),
    table(
      ['', ''],
      facts.map(([name, value]) => [name, value]),
    ),
    ...testList(testResults),
    ...section('Warnings', result.warnings.map(told)),
    ...said(result),
  ];
}

/** Every test, those for a person as boxes to tick. */
function testList({ tests }: TestSummary): Block[] {
  const lines = tests.slice(0, LISTED).map(({ name, status, blocking }) => {
    const label = serialise([paragraph(code(name))]).trim();
    const rest =
      status === 'manual'
        ? ' – for a person to check'
        : status === 'failed' && !blocking
          ? ' – failed, a warning'
          : '';
    return `- [${status === 'passed' ? 'x' : ' '}] ${label}${rest}`;
  });
  return lines.length === 0 ? [] : [heading(3, 'Tests'), { type: 'html', value: lines.join('\n') }];
}

function testsLine({ total, passed, failed, manual, cases }: TestSummary): string {
  if (total + manual === 0) return 'none';
  const parts = [
    `${passed} of ${total} passed`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(manual > 0 ? [`${plural(manual, 'check')} for a person`] : []),
    ...(cases === null ? [] : [plural(cases.passed + cases.failed + cases.skipped, 'case')]),
  ];
  return parts.join(', ');
}

function costOf({ metadata }: AgentResult): string {
  const { costUsd } = spendingOf(metadata.tools);
  return costUsd === null ? 'not known' : dollars(costUsd);
}

/** The end of what the last coding agent said of its work. */
function said({ metadata }: AgentResult): Block[] {
  const last = metadata.tools.at(-1)?.text ?? '';
  return last === ''
    ? []
    : [heading(3, 'What the agent says'), { type: 'blockquote', children: [paragraph(...told(last))] }];
}

const provenance = (runId: string): Block => paragraph('Made by Millrace from ', code(runId), '.');
