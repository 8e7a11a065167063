/** What a run redacts: the secrets that it finds, but for those that look like its own names. */
import { failureSchema } from '../domain/failure.ts';
import { nameRule, secretsAmong, variablesOf } from '../secrets/find-secrets.ts';
import { Redactor } from '../secrets/redactor.ts';
import { nameSome } from '../text/format.ts';
import type { RunOptions } from './options.ts';
import type { Paths } from './paths.ts';
import type { Prepared } from './prepare.ts';

/** Words of the database and of events, of 8 characters and more, beside the reasons. */
const WORDS = `
  millrace coordinator completed modified conflict mergeable nothing-to-merge scope-look
  unhandled-rejection uncaught-exception thread-heap process-heap workstream node-test run-started
  run-ended agent-replaced interrupting workstream-ready workstream-started workstream-retrying
  workstream-progress workstream-log workstream-finished opencode
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
  const names = namesOf(prepared, options, paths);
  // Every workstream of a matrix may have the same ones.
  const values = new Set(found.map(({ value }) => value));
  const inNames = new Set([...values].filter((value) => names.includes(value)));
  const redactor = new Redactor(found.filter(({ value }) => !inNames.has(value)));
  const left = [...new Set(found.filter(({ value }) => inNames.has(value)).map(({ name }) => name))];
  return { redactor, prepared: withoutSecrets(prepared, redactor, noticesOf(left)) };
}

/** All names that Millrace works with, one a line. */
function namesOf({ plan, resumed, retryOf }: Prepared, { project }: RunOptions, paths: Paths): string {
  const now = new Date().toISOString();
  const names = [
    [...plan.workstreams, ...plan.broken].flatMap(({ id, source }) => [id, source.file]),
    [project.agents.map(({ name }) => name), Object.keys(project.tools)].flat(),
    [paths.cwd, paths.workstreams, paths.state, paths.reports],
    [resumed?.run.runId ?? '', retryOf ?? '', now, now.replaceAll(/\D/g, '')],
    failureSchema.options.map(({ shape }) => shape.reason.value),
  ];
  return [...names.flat(), WORDS].join('\n');
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
    : plan.workstreams.map((each) => ({ ...each, title: redactor.text(each.title) }));
  return { ...prepared, plan: { ...plan, workstreams }, notices: [...prepared.notices, ...notices] };
}
