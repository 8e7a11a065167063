import { optionProblem } from '../../app/options.ts';
import type { CapacityOptions } from '../../app/reserving.ts';
import type { TuningResult } from '../../domain/tuning.ts';
import { type EndSignal, exitCodeOf, listenForSignals } from '../../os/end-signals.ts';
import { glyphsFor } from '../../progress/style.ts';
import { parseSize } from '../../text/amounts.ts';
import { plural } from '../../text/format.ts';
import { printable } from '../../text/printable.ts';
import { Tuning } from '../../tune/tune.ts';
import type { TuneArguments } from '../commands/tune.ts';
import { readProject } from '../config.ts';
import { printJson } from '../print.ts';
import { saveAgents } from '../save-agents.ts';
import { print } from '../standard-output.ts';
import { tuningChart } from '../tuning-chart.ts';
import { UsageError } from '../usage-error.ts';

const MOST_AGENTS = 1024;

/** Tries several numbers of agents. Exit code 0, 1 when workstreams did not complete, 130 and the like. */
export async function tune(argv: TuneArguments): Promise<number> {
  const cwd = process.cwd();
  const counts = argv.counts === undefined ? null : countsOf(argv.counts);
  const repeat = whole('--repeat', argv.repeat, 100);
  if (!(argv.seconds > 0)) throw new UsageError('--seconds must be more than 0.');
  const project = await readProject(cwd);
  if (argv.save && project.agents.length > 0) {
    throw new UsageError('--save: the agents are named in millrace.config.json, which fixes their number.');
  }
  const { id: select, workstreams, workspace = null, seconds } = argv;
  const capacity = checkedOptions({ cpus: argv.cpus ?? null, memory: argv.memory ?? null });
  const program: [string, ...string[]] = [process.execPath, process.argv[1] ?? ''];
  const onProgress = (text: string): void => void process.stderr.write(`${text}\n`);
  const tuning = new Tuning({
    cwd,
    select,
    workstreams,
    workspace,
    ...capacity,
    project,
    counts,
    repeat,
    seconds,
    program,
    onProgress,
  });
  const { result, signal } = await untilSignal(tuning);
  if (result === null) return exitCodeOf(signal);
  const { saved, problem } = await save(argv, result, cwd);
  if (argv.json) await printJson({ version: 1, ...result, saved });
  else await print(textOf(result, saved));
  if (problem !== null) process.stderr.write(`millrace: ${printable(problem)}\n`);
  return problem !== null ? 3 : result.failures === 0 ? 0 : 1;
}

/** @throws UsageError for a value that a run can't use. */
function checkedOptions(given: { cpus: number | null; memory: string | null }): CapacityOptions {
  const { cpus, memory } = given;
  for (const [name, value] of Object.entries(given)) {
    const problem = optionProblem(name, value);
    if (problem !== null) throw new UsageError(`--${name} can't be used: ${problem}.`);
  }
  return { cpus, memory: memory === null ? null : parseSize(memory) };
}

async function untilSignal(tuning: Tuning): Promise<{ result: TuningResult | null; signal: string }> {
  let signal: EndSignal = 'SIGINT';
  const end = (by: EndSignal): void => {
    signal = by;
    tuning.interrupt(by);
  };
  const stopListening = listenForSignals({
    ask: end,
    // The run that is under way takes it for one that insists too.
    insist: (by) => tuning.interrupt(by),
    hangUp: () => end('SIGTERM'),
  });
  try {
    return { result: await tuning.run(), signal };
  } finally {
    stopListening();
  }
}

interface Saved {
  /** The file; null where nothing was saved. */
  saved: string | null;
  /** Why it could not be; null where it could, or was not to be. */
  problem: string | null;
}

/** What was measured is there in any case. */
async function save(argv: TuneArguments, result: TuningResult, cwd: string): Promise<Saved> {
  const { advice, failures, machine } = result;
  if (!argv.save || advice === null || failures > 0) return { saved: null, problem: null };
  try {
    return { saved: await saveAgents(cwd, machine.name, advice.agents), problem: null };
  } catch (error) {
    if (error instanceof UsageError) return { saved: null, problem: error.message };
    throw error;
  }
}

function textOf(result: TuningResult, saved: string | null): string {
  const { advice, failures, machine } = result;
  const lines = [tuningChart(result, glyphsFor(process.env)), ''];
  if (failures > 0) {
    lines.push(
      `${plural(failures, 'result')} did not complete: these figures are not those of the whole work, and nothing is saved.`,
    );
  }
  if (advice === null) lines.push('Nothing completed, so nothing can be recommended.');
  else lines.push(`${plural(advice.agents, 'agent')} on ${machine.name}: ${advice.explanation}.`);
  if (saved !== null)
    lines.push(`Saved in ${saved}: a run on this machine without --agents takes it from there.`);
  return lines.join('\n');
}

function countsOf(text: string): number[] {
  const counts = text
    .split(',')
    .map((part) => whole('--counts', Number(part.trim() || Number.NaN), MOST_AGENTS));
  return [...new Set(counts)].toSorted((a, b) => a - b);
}

function whole(option: string, value: number, most: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new UsageError(`${option} takes whole numbers from 1 to ${most}.`);
}
