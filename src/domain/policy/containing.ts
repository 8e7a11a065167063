/** Which sandbox and network the parts of a workstream get. */
import type { ToolSettings } from '../tool.ts';
import type { Step, Workstream } from '../workstream.ts';
import { type Containing, NOT_SAID } from './sandbox.ts';

type Tools = Readonly<Record<string, ToolSettings>>;

/** A workstream, and how its tools are called, by the names that its steps use. */
interface Assigned {
  workstream: Pick<Workstream, 'sandbox' | 'network' | 'steps'>;
  tools: Tools;
}

/** What a step says, and where it says nothing, the configuration of its tool. */
export function containingOf(step: Step, tools: Tools): Containing {
  if (step.kind === 'module') return NOT_SAID;
  const settings = step.kind === 'tool' && Object.hasOwn(tools, step.tool) ? tools[step.tool] : undefined;
  return {
    sandbox: step.sandbox ?? settings?.sandbox ?? null,
    network: step.network ?? settings?.network ?? null,
  };
}

/**
 * How what runs the work of the steps is contained, such as acceptance tests: as the workstream says, and otherwise as
 * its first contained step, because that may have written what they run.
 */
export function containingOfWork({ workstream, tools }: Assigned): Containing {
  const { sandbox, network, steps } = workstream;
  if (sandbox !== null) return { sandbox, network };
  const ofSteps = steps.map((step) => containingOf(step, tools));
  return ofSteps.find((containing) => isContained(containing)) ?? NOT_SAID;
}

const isContained = ({ sandbox }: Containing): boolean => sandbox !== null && sandbox.kind !== 'none';

const isLimited = ({ network }: Containing): boolean => network !== null && network !== 'all';

/** What a workstream asks of the machine that executes it. */
export interface AskedContaining {
  /** Of its parts that have a sandbox. */
  contained: Containing[];
  /** Whether one of these has hosts listed, or none. */
  limitsNetwork: boolean;
  /** Why it is executed nowhere; null where it may be. */
  unguarded: string | null;
}

export function askedContaining(assigned: Assigned): AskedContaining {
  const { workstream, tools } = assigned;
  const all = [...workstream.steps.map((step) => containingOf(step, tools)), containingOfWork(assigned)];
  const contained = all.filter(isContained);
  return {
    contained,
    limitsNetwork: contained.some(isLimited),
    unguarded: all.some((each) => isLimited(each) && !isContained(each)) ? UNGUARDED : null,
  };
}

const UNGUARDED = 'a limit of its `network` needs a `sandbox`, and it has none: set sandbox to bwrap';
