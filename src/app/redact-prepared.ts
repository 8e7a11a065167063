/** What a run redacts: the secrets that it finds, but for those that look like its own names. */
import { failureSchema } from '../domain/failure.ts';
import { copyOf, type Workstream } from '../domain/workstream.ts';
import { nameRule, secretsAmong, variablesOf } from '../secrets/find-secrets.ts';
import { Redactor } from '../secrets/redactor.ts';
import { nameSome } from '../text/format.ts';
import type { RunOptions } from './options.ts';
import type { Paths } from './paths.ts';
import type { Prepared } from './prepare.ts';

/** Words of the database and of events, of 8 characters and more, beside the reasons. */
const WORDS = `
  millrace coordinator completed modified conflict pending mergeable breaks-tests outside-scope nothing-to-merge scope-look
  unhandled-rejection uncaught-exception thread-heap process-heap workstream node-test run-started
  run-ended agent-replaced interrupting workstream-ready workstream-started workstream-begun workstream-retrying
  workstream-progress workstream-log workstream-finished workstream-merged opencode
`;

interface Redacted {
  redactor: Redactor;
  /** Without secrets in its titles. */
  prepared: Prepared;
}

/**
 * Finds the secrets of a run. A value that is part of a name that Millrace works with, such as the id of a workstream
 * or the path of a folder, is left alone, and a notice says so.
 */
export function redactPrepared(prepared: Prepared, options: RunOptions, paths: Paths): Redacted {
  const { redact, tools } = options.project;
  const rule = nameRule(redact);
  const inTools = Object.values(tools).flatMap(({ env }) => (env === undefined ? [] : [env]));
  const sources = [process.env, ...inTools, ...variablesOf(prepared.plan.workstreams)];
  const found = sources.flatMap((variables) => secretsAmong(variables, rule));
  // Every workstream of a matrix may have the same ones.
  const values = new Set(found.map(({ value }) => value));
  const inNames = new Set<string>();
  for (const names of namesOf(prepared, options, paths)) {
    for (const value of values) if (names.includes(value)) inNames.add(value);
  }
  const redactor = new Redactor(found.filter(({ value }) => !inNames.has(value)));
  const left = [...new Set(found.filter(({ value }) => inNames.has(value)).map(({ name }) => name))];
  return { redactor, prepared: withoutSecrets(prepared, redactor, noticesOf(left)) };
}

/** How many workstreams' names are one text. */
const TOGETHER = 1_000;

/** All names that Millrace works with, one a line, in several texts: one for all would be as large as the folder. */
function* namesOf(
  { plan, resumed, retryOf }: Prepared,
  { project }: RunOptions,
  paths: Paths,
): Generator<string> {
  const now = new Date().toISOString();
  const names = [
    [project.agents.map(({ name }) => name), Object.keys(project.tools)].flat(),
    [paths.cwd, paths.workstreams, paths.state, paths.reports],
    [resumed?.run.runId ?? '', retryOf ?? '', now, now.replaceAll(/\D/g, '')],
    failureSchema.options.map(({ shape }) => shape.reason.value),
  ];
  yield [...names.flat(), WORDS].join('\n');
  for (const list of [plan.workstreams, plan.broken]) {
    for (let from = 0; from < list.length; from += TOGETHER) {
      const some = list.slice(from, from + TOGETHER);
      const files = new Set(some.map(({ source }) => source.file));
      yield [...some.map(({ id }) => id), ...files].join('\n');
    }
  }
}

function noticesOf(names: readonly string[]): string[] {
  if (names.length === 0) return [];
  return [
    `The value of ${nameSome(names)} is part of a name that Millrace works with, such as an id, a path or a date, and is not redacted.`,
  ];
}

/** Titles become part of commits; everything else that is kept goes through the journal. */
function withoutSecrets(prepared: Prepared, redactor: Redactor, notices: readonly string[]): Prepared {
  const { plan } = prepared;
  const workstreams = redactor.isIdle
    ? plan.workstreams
    : plan.workstreams.map((each) => withoutSecret(each, redactor));
  return { ...prepared, plan: { ...plan, workstreams }, notices: [...prepared.notices, ...notices] };
}

/** Most titles are ids, and no secret is part of an id. */
function withoutSecret(workstream: Workstream, redactor: Redactor): Workstream {
  const { id, title } = workstream;
  const redacted = title === id ? title : redactor.text(title);
  return redacted === title ? workstream : copyOf(workstream, { title: redacted });
}
