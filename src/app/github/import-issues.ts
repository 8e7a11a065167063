/** Workstreams from issues: a file for each issue, for a coding agent. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../../domain/json.ts';
import { ApiError, type GitHubIssue } from '../../github/api.ts';
import { parseIssueQuery } from '../../github/issue-query.ts';
import { blocksIn } from '../../github/marks.ts';
import { shortened } from '../../text/cut-text.ts';
import { messageOf } from '../../text/error-message.ts';
import { oneLine, printable } from '../../text/printable.ts';
import { findRemote } from '../../worktree/remote/remote.ts';
import { findRepository } from '../../worktree/repository.ts';
import type { RunOptions } from '../options.ts';
import { makeFolder, type Paths } from '../paths.ts';
import { Refusal } from '../refusal.ts';
import { definedNow } from './accepted-work.ts';
import { connect, type Where } from './connect.ts';
import { issueNumber } from './folder-files.ts';

export interface ImportOptions extends Where {
  /** Which issues, such as `label:agent-ready`. */
  query: string;
  /** The coding agent that is to do them. */
  tool: string;
  notify: (sentence: string) => void;
}

/** What became of an issue. */
export interface ImportRow {
  number: number;
  title: string;
  action: 'made' | 'known' | 'failed';
  /** Path of its file; null where there is none. */
  file: string | null;
  detail: string | null;
}

/** Definitions are sources, which others may read. */
const READABLE = 0o777;

/**
 * Makes a file for each issue that no workstream is of, and overwrites none. A failure is the row of its issue.
 * @throws Refusal with exit code 2 where it can't begin, 3 where the issues can't be listed, 4 where there are none.
 */
export async function importIssues(
  run: RunOptions,
  paths: Paths,
  options: ImportOptions,
): Promise<ImportRow[]> {
  const filter = parseIssueQuery(options.query);
  if (typeof filter === 'string') throw new Refusal(2, filter);
  const repository = await findRepository(paths.cwd);
  const remote = 'why' in repository ? null : await findRemote(repository, options.remote);
  const { api } = await connect(options, remote, options.notify);
  const issues = await api.issues(filter).catch((error: unknown) => {
    if (error instanceof ApiError) throw new Refusal(3, error.message, error);
    throw error;
  });
  if (issues.length === 0) throw new Refusal(4, `No issue is ${oneLine(options.query, 200)}.`);
  const definitions = [...definedNow(run, paths).definitions.values()];
  const numbers = new Set(definitions.flatMap((definition) => issueNumber(definition) ?? []));
  const ids = new Set(definitions.map(({ base }) => base));
  makeFolder(paths.workstreams, READABLE);
  return issues
    .toSorted((a, b) => a.number - b.number)
    .map((issue) => {
      const isKnown =
        numbers.has(issue.number) || blocksIn(issue.body).some(({ subject }) => ids.has(subject));
      return isKnown
        ? row(issue, 'known', null, 'a workstream is of it')
        : make(issue, paths.workstreams, options.tool);
    });
}

const row = (
  { number, title }: GitHubIssue,
  action: ImportRow['action'],
  file: string | null,
  detail: string | null,
): ImportRow => ({ number, title, action, file, detail });

function make(issue: GitHubIssue, folder: string, tool: string): ImportRow {
  const file = join(folder, `ws-issue-${issue.number}.json`);
  try {
    writeFileSync(file, `${JSON.stringify(definitionOf(issue, tool), null, 2)}\n`, { flag: 'wx' });
    return row(issue, 'made', file, null);
  } catch (error) {
    const isThere = error instanceof Error && 'code' in error && error.code === 'EEXIST';
    return isThere
      ? row(issue, 'known', file, 'its file is there')
      : row(issue, 'failed', null, messageOf(error));
  }
}

/** Longest text of an issue that is taken, and of one task. */
const BODY = 20_000;
const LINE = 2_000;

/**
 * The workstream of an issue. Everything in it is text of others: it becomes what a coding agent is told and what a person
 * checks, and never a command.
 */
function definitionOf(issue: GitHubIssue, tool: string): JsonObject {
  const { number, labels, html_url: url, user } = issue;
  const body = plainBody(issue.body);
  const { tasks, acceptance, scope } = readSections(body);
  const title = oneLine(withoutReferences(issue.title), 200) || `Issue ${number}`;
  const priority = priorityOf(labels);
  return {
    id: `ws-issue-${number}`,
    title,
    ...(body === '' ? {} : { description: shortened(body, BODY) }),
    ...(priority === null ? {} : { priority }),
    ccpm_issue: number,
    tool,
    tasks: tasks.length === 0 ? [`Do what the issue asks for: ${title}`] : tasks,
    ...(scope.length === 0 ? {} : { files_scope: scope }),
    ...(acceptance.length === 0 ? {} : { acceptance_tests: acceptance.map((manual) => ({ manual })) }),
    metadata: { issue: url, labels, author: user?.login ?? null },
  };
}

/** In a definition `${{ matrix.x }}` would be replaced. */
const withoutReferences = (text: string): string => text.replaceAll('${{', '$ {{');

/** Without the parts that Millrace keeps, and without comments, which nobody sees on GitHub. */
function plainBody(text: string): string {
  const parts = blocksIn(text).toReversed();
  const own = parts.reduce((rest, { start, end }) => rest.slice(0, start) + rest.slice(end), text);
  return withoutReferences(printable(own.replaceAll(/<!--.*?(?:-->|$)/gs, ''))).trim();
}

/** What an issue lists, by the headings of its sections. */
interface Sections {
  /** Boxes that are not ticked. */
  tasks: string[];
  acceptance: string[];
  /** Paths and globs below the repository. */
  scope: string[];
}

const ITEM = /^\s*[-*+]\s+(?:\[([ xX])\]\s+)?(.+)$/;

function readSections(body: string): Sections {
  const sections: Sections = { tasks: [], acceptance: [], scope: [] };
  let heading = '';
  for (const line of body.split('\n')) {
    heading = /^#{1,6}\s+(.*)$/.exec(line)?.[1] ?? heading;
    const [, box, item] = ITEM.exec(line) ?? [];
    if (item === undefined) continue;
    const text = oneLine(item, LINE);
    if (text === '') continue;
    if (/accept|criteria|done when|definition of done/i.test(heading)) sections.acceptance.push(text);
    else if (/^(files?|scope)\b/i.test(heading)) sections.scope.push(...pathsIn(text));
    else if (box === ' ') sections.tasks.push(text);
  }
  return sections;
}

/** Paths in code, of which none leads out of the repository. */
const pathsIn = (text: string): string[] =>
  [...text.matchAll(/`([^`\s]+)`/g)]
    .map(([, path = '']) => path)
    .filter((path) => !path.startsWith('/') && !path.split('/').includes('..'));

/** The word of a label such as `P1` or `priority: high`; null for none. */
function priorityOf(labels: readonly string[]): string | null {
  const words = labels.flatMap(
    (label) => /^(?:priority\s*[:/]\s*)?(critical|high|medium|low|P[0-3])$/i.exec(label)?.[1] ?? [],
  );
  const [first = null] = words;
  return first === null ? null : /^p\d$/i.test(first) ? first.toUpperCase() : first.toLowerCase();
}
