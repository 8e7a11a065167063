import { TOOL_COLUMNS, toolRow } from '../../report/tool-columns.ts';
import { agentPerformances } from '../../store/read/agents.ts';
import { toolPerformances } from '../../store/read/tools.ts';
import { percent, seconds } from '../../text/format.ts';
import type { AgentsArguments } from '../commands/agents.ts';
import { withRun } from '../history.ts';
import { printJson, printText, table } from '../print.ts';

const HEAD = [
  'agent',
  'workstreams',
  'completed',
  'failed',
  'success',
  'busy',
  'idle',
  'CPU',
  'utilisation',
  'average',
  'median',
  'p95',
  'per hour',
];

const TOOLS_HEAD = TOOL_COLUMNS.map(({ name }) => name);

/** Compares the agents of a run, and the tools that they used. */
export async function agents(argv: AgentsArguments): Promise<number> {
  return withRun(argv.state, argv.run, async (connection, run) => {
    const found = agentPerformances(connection, run.runId);
    const tools = toolPerformances(connection, run.runId);
    if (argv.json) {
      await printJson({ version: 1, run_id: run.runId, agents: found, tools });
      return 0;
    }
    const rows = found.map((agent) => [
      agent.agentId,
      agent.workstreams,
      agent.completed,
      agent.failed,
      percent(agent.successRate),
      seconds(agent.busySeconds),
      seconds(agent.idleSeconds),
      seconds(agent.cpuSeconds),
      percent(agent.utilisation),
      seconds(agent.averageSeconds),
      seconds(agent.medianSeconds),
      seconds(agent.p95Seconds),
      agent.perHour === null ? null : Math.round(agent.perHour),
    ]);
    await printText(found.length === 0 ? `No agent ran anything in ${run.runId}.` : table(HEAD, rows));
    if (tools.length > 0) await printText(`\n${table(TOOLS_HEAD, tools.map(toolRow))}`);
    return 0;
  });
}
