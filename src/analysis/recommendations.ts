import type { DurationShift } from '../domain/history/history.ts';
import { type AgentPerformance, type ExecutionSummary, LEAST_WORK_SECONDS } from '../domain/run-record.ts';
import type { MergedWork, MergeProblem } from '../domain/tool-record.ts';
import { percent, plural, seconds } from '../text/format.ts';
import { oneLine } from '../text/printable.ts';
import {
  type AdviceInput,
  againCommand,
  capacityAdvice,
  definitionAdvice,
  memoryAdvice,
  nameSome,
  patternAdvice,
  skippedAdvice,
  timeoutAdvice,
} from './failure-advice.ts';

/** Most recommendations of a run. */
const LIMIT = 8;

/** Each kind of advice, most important first. */
const ADVICE: ((input: AdviceInput) => string[])[] = [
  interruptedAdvice,
  patternAdvice,
  definitionAdvice,
  timeoutAdvice,
  memoryAdvice,
  capacityAdvice,
  brokenTestsAdvice,
  circuitAdvice,
  conflictAdvice,
  parkedAdvice,
  skippedAdvice,
  slowerAdvice,
  healedAdvice,
  takeOverAdvice,
  speedAdvice,
  reservationAdvice,
  manualAdvice,
];

/**
 * What to do next after a run: at most 8 sentences, most important first, each from what was measured and with the
 * command to run where there is one, in `backticks`. Empty for a run under way; one sentence on where the results are
 * where nothing else applies.
 */
export function recommend(input: AdviceInput): string[] {
  if (input.run.state === 'running') return [];
  const sentences = ADVICE.map((advice) => advice(input).map((sentence) => oneLine(sentence, 1000)));
  const chosen = choose(sentences);
  return chosen.length > 0 ? chosen : [closing(input)];
}

/** Chooses the first of each kind before the second of any; the chosen ones stay in order of importance. */
function choose(kinds: string[][]): string[] {
  const places = kinds.flatMap((kind, importance) =>
    kind.map((sentence, position) => ({ sentence, importance, position })),
  );
  return places
    .toSorted((a, b) => a.position - b.position || a.importance - b.importance)
    .slice(0, LIMIT)
    .toSorted((a, b) => a.importance - b.importance || a.position - b.position)
    .map(({ sentence }) => sentence);
}

function interruptedAdvice({ run, parked }: AdviceInput): string[] {
  if (run.state !== 'interrupted') return [];
  const left = run.totals.workstreams - run.totals.completed - run.totals.failed;
  if (left <= 0) return [];
  const command = `\`millrace run --resume ${run.runId}\``;
  const waiting = parked.filter(({ hasWorked }) => !hasWorked);
  if (run.executionSummary?.exitCode === 5 && waiting.length > 0) {
    const limits = waiting.map(({ tool, until }) => `${oneLine(tool, 100)} until ${until}`).join(', ');
    return [
      `${plural(left, 'workstream')} waited for usage limits for longer than the run was to wait (${limits}): ${command} runs what is left of it after that.`,
    ];
  }
  return [
    `${plural(left, 'workstream')} did not run to the end because the run was interrupted: ${command} runs what is left of it.`,
  ];
}

/** What is reserved and not used keeps others waiting; what is used and not reserved is in their way. */
function reservationAdvice({ resources }: AdviceInput): string[] {
  const told = resources.shown.flatMap(({ workstreamId, advice }) =>
    advice === null ? [] : [{ workstreamId, advice }],
  );
  const [first] = told;
  if (first === undefined) return [];
  const ids = told.map(({ workstreamId }) => workstreamId);
  const example = told.length === 1 ? first.advice : `\`${first.workstreamId}\` ${first.advice}`;
  return [
    `${nameSome(ids)} ${told.length === 1 ? 'uses' : 'use'} something else than is reserved: ${example}.`,
  ];
}

function manualAdvice({ manualChecks, run }: AdviceInput): string[] {
  const [first] = manualChecks.shown;
  if (first === undefined) return [];
  const name = oneLine(first.name.replaceAll('`', "'"), 100);
  const one = `1 check is left for a person: "${name}" (\`${first.workstreamId}\`).`;
  if (manualChecks.total === 1) return [one];
  return [
    `${manualChecks.total} checks are left for a person, the first "${name}": \`millrace report ${run.runId} --format md\` lists them.`,
  ];
}

/** The one sentence for a run to which no other advice applies. */
function closing({ run }: AdviceInput): string {
  const { workstreams, completed } = run.totals;
  if (completed < workstreams) {
    return `${plural(workstreams - completed, 'workstream')} did not complete: \`millrace show ${run.runId}\` lists the reason of each.`;
  }
  if (workstreams === 0) return 'There were no workstreams: `millrace init` makes a first folder that runs.';
  return `Everything completed: \`millrace show ${run.runId}\` lists the results, and the outputs are in the report and in the table agent_results.`;
}

// Recommendations about coding agents and their work.

/** Work that is green by itself and breaks a test once it is merged, with what to do. */
function brokenTestsAdvice({ merges, run }: AdviceInput): string[] {
  const found = problemsOf(merges, 'breaks-tests');
  const [first] = found;
  if (merges === null || first === undefined) return [];
  const { workstreamId, partner, failingTest, branch } = first;
  const test = failingTest === null ? 'the tests' : `\`${quiet(oneLine(failingTest, 100))}\``;
  const others = found.map((problem) => problem.workstreamId);
  const what =
    partner === null
      ? `The work of ${nameSome([workstreamId])} is not merged, as ${test} fails with it`
      : `The work of ${nameSome([workstreamId])} is not merged, as ${test} fails with it and ${nameSome([partner])} together`;
  const how =
    branch === null
      ? ''
      : `: ${againCommand(others, run.runId)} has it done again on what is merged, or \`git merge ${quiet(branch)}\` there and make the test pass`;
  const left = found.length - 1;
  return [`${what}${how}.${left > 0 ? ` ${plural(left, 'more workstream')} broke tests too.` : ''}`];
}

const problemsOf = (merges: AdviceInput['merges'], ...statuses: MergeProblem['status'][]): MergeProblem[] =>
  (merges?.problems.shown ?? []).filter(({ status }) => statuses.includes(status));

/** Work that could not be merged, in one sentence. */
function conflictAdvice({ merges }: AdviceInput): string[] {
  const found = problemsOf(merges, 'conflict', 'failed');
  const [first] = found;
  if (merges === null || first === undefined) return [];
  const { workstreamId, conflictsWith, files, branch } = first;
  const what =
    conflictsWith.length === 0
      ? `The work of ${nameSome([workstreamId])} could not be merged`
      : `The work of ${nameSome([workstreamId])} conflicts with ${nameSome(conflictsWith)} in ${nameSome(files)}`;
  const how =
    branch === null ? '' : `: take over the others first, then \`git merge ${quiet(branch)}\` and resolve it`;
  const left = found.length - 1;
  return [
    `${what}${how}.${left > 0 ? ` ${plural(left, 'more workstream')} could not be merged either.` : ''}`,
  ];
}

/** Work that waits for a person because it is outside its scope. */
function parkedAdvice({ merges }: AdviceInput): string[] {
  const found = problemsOf(merges, 'outside-scope');
  const [first] = found;
  if (first === undefined) return [];
  const ids = found.map(({ workstreamId }) => workstreamId);
  const how = first.branch === null ? '' : `: look at it, then \`git merge ${quiet(first.branch)}\``;
  return [`The work of ${nameSome(ids)} is outside of files_scope and is not merged${how}.`];
}

/** Work that can be merged into the user's branch. */
function takeOverAdvice({ merges, run }: AdviceInput): string[] {
  if (merges === null) return [];
  if (merges.branch === '' && merges.mergeable > 0) {
    return [
      `The work of ${plural(merges.mergeable, 'workstream')} is on branches of its own, in which no conflict was found: list them with \`git branch --list 'millrace/${quiet(run.runId)}/*'\` and take over each with \`git merge\`.`,
    ];
  }
  if (merges.merged === 0) return [];
  return [
    `The work of ${plural(merges.merged, 'workstream')} is merged in one branch${testedClause(merges)}: look at it with \`git log -p HEAD..${quiet(merges.branch)}\` and take it over with \`git merge ${quiet(merges.branch)}\`.`,
  ];
}

/** Whether what is advised is known to work. */
const testedClause = ({ tested, caveat }: MergedWork): string => {
  const passing = caveat === '' ? ', whose tests pass together' : ', whose tests do not all pass';
  const clause = tested ? passing : ', which has no tests that say whether it works';
  return caveat === '' ? clause : `${clause} (${caveat.replaceAll('`', "'")})`;
};

/**
 * What was not started because its tool had failed repeatedly, the budget was spent, or a usage limit was not to be waited
 * for. What waits in a run that can be resumed is no part of it.
 */
function circuitAdvice({ skipped, run }: AdviceInput): string[] {
  const limited = run.state === 'ended' ? ['usage-limit'] : [];
  return ['circuit-open', 'budget-exceeded', ...limited].flatMap((reason) => {
    const found = skipped.shown.filter((each) => each.reason === reason);
    const [first] = found;
    if (first === undefined) return [];
    const ids = found.map((each) => each.workstreamId);
    const total = skipped.total > skipped.shown.length ? ids.length + 1 : ids.length;
    const command = againCommand(ids, run.runId, total);
    const why = oneLine((first.explanation ?? '').replaceAll('`', "'"), 300).replace(/\.$/, '');
    return [`${plural(ids.length, 'workstream')} (${nameSome(ids)}): ${why}, then ${command}.`];
  });
}

/** A name inside backticks. */
const quiet = (name: string): string => name.replaceAll('`', "'");

// Recommendations from many runs.

/** What takes longer than before by the tests of many runs: the run as a whole, and the workstreams that do most. */
function slowerAdvice({ comparison }: AdviceInput): string[] {
  if (comparison === null) return [];
  const { wholeRun, shifts } = comparison;
  const whole = wholeRun !== null && wholeRun.ratio > 1 ? [wholeSlower(wholeRun)] : [];
  const slower = shifts.shown.filter(({ ratio }) => ratio > 1).toSorted((a, b) => b.ratio - a.ratio);
  const [first] = slower;
  if (first === undefined) return whole;
  const id = first.workstreamId ?? '';
  const more = slower.length > 1 ? ` ${plural(slower.length - 1, 'more workstream')} became slower too.` : '';
  return [
    ...whole,
    `${nameSome([id])} takes ${times(first)} since ${oneLine(first.since.runId, 80)}: ${trendsCommand(id)} shows its course.${more}`,
  ];
}

const wholeSlower = (shift: DurationShift): string =>
  `The run as a whole takes ${times(shift)} on this machine since ${oneLine(shift.since.runId, 80)}: \`millrace trends\` shows its course.`;

const times = ({ ratio, beforeSeconds, afterSeconds, runs }: DurationShift): string =>
  `${ratio.toFixed(2)} times as long as before (${seconds(afterSeconds)} instead of ${seconds(beforeSeconds)}, by ${runs} runs)`;

const trendsCommand = (id: string): string =>
  /^[a-z0-9][a-z0-9-]*$/.test(id) ? `\`millrace trends ${id}\`` : '`millrace trends`';

/** Flaky workstreams that completed because they were tried again. */
function healedAdvice({ comparison, failures }: AdviceInput): string[] {
  const failed = new Set(failures.shown.map(({ workstreamId }) => workstreamId));
  const headId = comparison?.head.runId;
  const healed = (comparison?.flaky.shown ?? []).filter(
    ({ workstreamId, history }) => !failed.has(workstreamId) && history.lastSeen?.runId === headId,
  );
  const ids = [...new Set(healed.map(({ workstreamId }) => workstreamId))];
  if (ids.length === 0) return [];
  return [
    `${plural(ids.length, 'workstream')} passed only when tried again (${nameSome(ids)}): \`millrace flaky\` tells how often that is so.`,
  ];
}

// Recommendations about how fast a run was, from measured times only.

/** From this share on, a chain decides the wall time, agents are busy, and work is CPU-bound. */
const DECISIVE = 0.8;
const BUSY = 0.7;

/** The least gain worth a sentence: a tenth of the wall time. */
const GAIN = 0.9;

/** The limit on the run's speed, at most one, and the imbalance of pinned distribution. */
function speedAdvice(input: AdviceInput): string[] {
  const summary = input.run.executionSummary;
  if (summary === null || input.run.state !== 'ended' || isShort(summary)) return [];
  const bound = chainAdvice(summary, input) ?? idleAdvice(summary, input) ?? moreAgentsAdvice(summary, input);
  const imbalance = imbalanceAdvice(summary, input.agents);
  return [bound, imbalance].filter((sentence) => sentence !== null);
}

/** With little work the measured times are mostly overhead. */
const isShort = ({ speed }: ExecutionSummary): boolean => speed.oneAgentSeconds < LEAST_WORK_SECONDS;

/** One chain of workstreams, or one workstream, takes nearly all of the wall time while agents are idle. */
function chainAdvice({ speed, agentsCount }: ExecutionSummary, { timeline }: AdviceInput): string | null {
  const { criticalPath, criticalPathSeconds: chain, wallSeconds: wall, busySeconds: busy } = speed;
  const [only] = criticalPath;
  if (chain < speed.limitSeconds * 0.999) return null;
  if (agentsCount < 2 || only === undefined || chain < wall * DECISIVE || busy > agentsCount * wall * BUSY)
    return null;
  const members = new Set(criticalPath);
  // What failed may have hung, or would have gone on: its time is not that of the work.
  if (timeline.shown.some(({ workstreamId, status }) => status === 'failed' && members.has(workstreamId)))
    return null;
  const enough = Math.max(1, Math.ceil(speed.oneAgentSeconds / chain));
  const fewer =
    enough < agentsCount
      ? ` ${plural(enough, 'agent')} can do this work in that time: \`millrace run -j ${enough}\`.`
      : '';
  const share = `${seconds(chain)} of the run's ${seconds(wall)}`;
  if (criticalPath.length === 1) {
    return `${nameSome([only])} alone took ${share}, and no number of agents shortens it: split it, for example by a \`matrix\`.${fewer}`;
  }
  const longest = timeline.shown
    .filter(({ workstreamId, durationSeconds }) => members.has(workstreamId) && durationSeconds !== null)
    .toSorted((a, b) => (b.durationSeconds ?? 0) - (a.durationSeconds ?? 0))[0];
  const member =
    longest === undefined
      ? 'its longest member'
      : `${nameSome([longest.workstreamId])} (${seconds(longest.durationSeconds)})`;
  return `The chain ${chainName(criticalPath)} took ${share}, and no number of agents shortens it: make ${member} faster or remove a dependency.${fewer}`;
}

/** The first and the last member, and the one between them if there is only one. */
function chainName(ids: string[]): string {
  if (ids.length <= 3) return ids.map((id) => nameSome([id])).join(' → ');
  return `${nameSome(ids.slice(0, 1))} → … → ${nameSome(ids.slice(-1))} (${plural(ids.length, 'workstream')})`;
}

/** There were more agents than workstreams. */
function idleAdvice({ agentsCount }: ExecutionSummary, { agents, run }: AdviceInput): string | null {
  const ran = run.totals.completed + run.totals.failed;
  const idle = agents.filter((agent) => agent.workstreams === 0).length;
  if (idle === 0 || ran === 0 || ran >= agentsCount) return null;
  return `${idle} of ${agentsCount} agents had nothing to do: \`millrace run -j ${agentsCount - idle}\` is enough for this work.`;
}

/** The agents were computing nearly all of the time, and there are cores left. */
function moreAgentsAdvice(summary: ExecutionSummary, { agents, run }: AdviceInput): string | null {
  const { speed, agentsCount, cores } = summary;
  const more = Math.min(cores, run.totals.completed + run.totals.failed);
  const used = speed.busySeconds / (agentsCount * speed.wallSeconds);
  const cpu = cpuShare(agents, speed.busySeconds);
  if (more <= agentsCount || used < BUSY || cpu === null || cpu < BUSY) return null;
  const best = Math.max(speed.criticalPathSeconds, speed.oneAgentSeconds / more);
  if (best > speed.wallSeconds * GAIN) return null;
  return `${plural(agentsCount, 'agent')} worked ${percent(used)} of the time, ${percent(cpu)} of that computing, and this machine has ${plural(cores, 'core')}: \`millrace run -j ${more}\` takes ${seconds(best)} instead of ${seconds(speed.wallSeconds)} at best.`;
}

/** CPU time of all threads in their busy time; null as soon as one is not known. */
function cpuShare(agents: AgentPerformance[], busy: number): number | null {
  let cpu = 0;
  for (const agent of agents) {
    if (agent.cpuSeconds === null) return null;
    cpu += agent.cpuSeconds;
  }
  return busy === 0 ? null : Math.min(1, cpu / busy);
}

function imbalanceAdvice(
  { distribution, speed }: ExecutionSummary,
  agents: AgentPerformance[],
): string | null {
  const sorted = agents.toSorted((a, b) => b.busySeconds - a.busySeconds);
  const most = sorted[0];
  const least = sorted.at(-1);
  if (distribution !== 'round-robin' || most === undefined || least === undefined) return null;
  if (least.busySeconds > most.busySeconds * BUSY || speed.limitSeconds > speed.wallSeconds * GAIN)
    return null;
  return `${most.agentId} worked ${seconds(most.busySeconds)} and ${least.agentId} ${seconds(least.busySeconds)} under round-robin distribution: \`millrace run --distribution dynamic\` takes ${seconds(speed.limitSeconds)} instead of ${seconds(speed.wallSeconds)} at best.`;
}
