import { type WorkersSeen, workersOf } from '../../app/queue/workers.ts';
import { plural, seconds as secondsText } from '../../text/format.ts';
import { oneLine } from '../../text/printable.ts';
import type { WorkersArguments } from '../commands/workers.ts';
import { durationOf } from '../options.ts';
import { printJson, printText, table } from '../print.ts';
import { queueUrl } from '../queue-options.ts';
import { UsageError } from '../usage-error.ts';

/** In seconds. */
const LEAST_PRUNE = 600;

/** Prints who lends agents. Exits 0, also where nobody does. @throws UsageError, Refusal */
export async function workers(argv: WorkersArguments): Promise<number> {
  const { queueKeyFile = null, queueCa = null } = argv;
  const pruneSeconds = argv.prune === undefined ? null : durationOf('--prune', argv.prune);
  if (pruneSeconds !== null && pruneSeconds < LEAST_PRUNE)
    throw new UsageError('--prune must be at least 10m: a run says once a minute that it is there.');
  const seen = await workersOf({
    queue: queueUrl(argv.queue),
    keyFile: queueKeyFile,
    caFile: queueCa,
    pruneSeconds,
  });
  if (argv.json) await printJson({ version: 1, ...seen });
  else await printText(textOf(seen));
  return 0;
}

const HEAD = ['worker', 'version', 'provides', 'agents', 'in hand', 'clock', 'since'];
/** A smaller difference of clocks is that of the network. */
const CLOCK_MS = 1_000;

function textOf(seen: WorkersSeen): string {
  const { hosts } = seen;
  const rows = hosts.map(({ host, version, provides, slots, inHand, draining, clockMs, startedAt }) => [
    oneLine(host, 60) + (draining ? ' (takes nothing more)' : ''),
    oneLine(version, 20),
    oneLine(provides.join(', '), 60) || '-',
    slots,
    inHand.length,
    Math.abs(clockMs) < CLOCK_MS
      ? 'ok'
      : `${clockMs > 0 ? '+' : '-'}${secondsText(Math.abs(clockMs) / 1000)}`,
    new Date(startedAt).toISOString(),
  ]);
  const found = rows.length === 0 ? 'No worker of this protocol is there.' : table(HEAD, rows);
  return [found, ...inHandLines(seen), ...problemLines(seen), ...prunedLines(seen)].join('\n');
}

function inHandLines({ hosts }: WorkersSeen): string[] {
  const lines = hosts.flatMap(({ host, inHand, clockMs }) =>
    inHand.map(({ workstreamId, agent, since, lease }) => {
      const passed = Math.max(0, (Date.now() + clockMs - since) / 1000);
      const again = lease > 1 ? `, for the ${lease}. time` : '';
      return `  ${oneLine(host, 60)}/${oneLine(agent, 20)}: ${oneLine(workstreamId, 200) || 'being opened'}, ${secondsText(passed)}${again}`;
    }),
  );
  return lines.length === 0 ? [] : ['', 'In hand:', ...lines];
}

function prunedLines({ pruned }: WorkersSeen): string[] {
  if (pruned === null) return [];
  return [`Removed ${plural(pruned.jobs, 'job')} of ${plural(pruned.runs, 'run')} that nobody went on with.`];
}

function problemLines({ strangers, others, protocol }: WorkersSeen): string[] {
  return [
    ...strangers.map(
      (name) => `${oneLine(name, 60)} has another key, or a version that this one can't read.`,
    ),
    ...others.map(
      (other) =>
        `${oneLine(other.host, 60)} speaks protocol ${other.protocol}, and this version ${protocol}: it gets nothing of its runs. Install the same version on both.`,
    ),
  ];
}
