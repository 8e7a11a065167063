import { plural } from '../support/plural.ts';
import { oneLine } from '../support/printable.ts';
import type { AdviceInput } from './advice-input.ts';
import {
  definitionAdvice,
  memoryAdvice,
  patternAdvice,
  skippedAdvice,
  timeoutAdvice,
} from './failure-advice.ts';
import { speedAdvice } from './speed-advice.ts';
import { circuitAdvice, conflictAdvice, takeOverAdvice } from './tool-advice.ts';

/** Most recommendations of a run. */
const LIMIT = 8;

/** Each kind of advice, most important first. */
const ADVICE: ((input: AdviceInput) => string[])[] = [
  interruptedAdvice,
  patternAdvice,
  definitionAdvice,
  timeoutAdvice,
  memoryAdvice,
  circuitAdvice,
  conflictAdvice,
  skippedAdvice,
  takeOverAdvice,
  speedAdvice,
  manualAdvice,
];

/**
 * What to do next after a run: at most 8 sentences, most important first, each from what was measured and with the
 * command to run where there is one. Commands stand in `backticks`. A run under way gets none; a run of which there
 * is nothing to say gets one sentence on where its results are.
 */
export function recommend(input: AdviceInput): string[] {
  if (input.run.state === 'running') return [];
  const sentences = ADVICE.map((advice) => advice(input).map((sentence) => oneLine(sentence, 1000)));
  const chosen = choose(sentences);
  return chosen.length > 0 ? chosen : [closing(input)];
}

/** The first of each kind before the second of any, kept in order of importance. */
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

function interruptedAdvice({ run }: AdviceInput): string[] {
  if (run.state !== 'interrupted') return [];
  const left = run.totals.workstreams - run.totals.completed - run.totals.failed;
  if (left <= 0) return [];
  const command = `\`millrace run --resume ${run.runId}\``;
  return [
    `${plural(left, 'workstream')} did not run to the end because the run was interrupted: ${command} runs what is left of it.`,
  ];
}

function manualAdvice({ manualChecks, run }: AdviceInput): string[] {
  const [first] = manualChecks.shown;
  if (first === undefined) return [];
  const name = oneLine(first.name.replaceAll('`', "'"), 100);
  const one = `1 check is left for a person: "${name}" (\`${first.workstreamId}\`).`;
  if (manualChecks.total === 1) return [one];
  return [
    `${manualChecks.total} checks are left for a person, the first "${name}": \`millrace report ${run.runId} --format md\` lists them under Tests.`,
  ];
}

/** The one sentence for a run of which there is nothing else to say. */
function closing({ run }: AdviceInput): string {
  const { workstreams, completed } = run.totals;
  if (completed < workstreams) {
    return `${plural(workstreams - completed, 'workstream')} did not complete: \`millrace show ${run.runId}\` gives the reason of each.`;
  }
  if (workstreams === 0) return 'There were no workstreams: `millrace init` makes a first folder that runs.';
  return `Everything completed: \`millrace show ${run.runId}\` lists the results, and the outputs are in the report and in the table agent_results.`;
}
