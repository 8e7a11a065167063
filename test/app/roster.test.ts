import { describe, expect, test } from 'vitest';
import { type CoordinatorOptions, parseOptions } from '../../src/app/options.ts';
import { Refusal } from '../../src/app/refusal.ts';
import { makeRoster, type Roster } from '../../src/app/roster.ts';
import type { Step } from '../../src/domain/workstream.ts';
import { ReadyQueue } from '../../src/plan/ready-queue.ts';
import { runStep, workstream } from '../kit/definitions.ts';

const tool = (name: string): Step => ({ ...runStep(''), kind: 'tool', tool: name, tasks: ['x'] });
const task = (id: string, name: string, track: string | null = null) =>
  workstream(id, [tool(name)], { track });

const rosterOf = (options: CoordinatorOptions, workstreams = [task('ws-a', 'claude')]): Roster =>
  makeRoster(parseOptions(options).options, workstreams);

/** Name and program of what stands behind a step's tool. */
function behind(roster: Roster, agent: number, name: string): string | null {
  const tools = roster.toolsOf(agent, task('ws-a', name));
  const settings = Object.hasOwn(tools, name) ? tools[name] : undefined;
  return settings === undefined ? null : `${settings.name}: ${settings.command.join(' ')}`;
}

describe('names', () => {
  test('are agent-1 to agent-N, no more than workstreams, and one when a person is asked', () => {
    const three = [task('a', 'x'), task('b', 'x'), task('c', 'x')];
    expect(rosterOf({ agentsCount: 2 }, three).names).toEqual(['agent-1', 'agent-2']);
    expect(rosterOf({ agentsCount: 9 }, three).names).toHaveLength(3);
    expect(rosterOf({ agentsCount: 9, ask: async () => 'run' }, three).names).toEqual(['agent-1']);
  });

  test('come from the configuration, the first ones when there are fewer agents, with numbers for more', () => {
    const project = { agents: [{ name: 'anna' }, { name: 'ben' }] };
    expect(rosterOf({ agentsCount: 1, project }).names).toEqual(['anna']);
    expect(rosterOf({ agentsCount: 3, project }).names).toEqual(['anna', 'ben', 'agent-3']);
  });
});

describe('the files that may be open', () => {
  const many = Array.from({ length: 300 }, (_, index) => task(`ws-${index}`, 'x'));
  const under = (files: number | null, options: CoordinatorOptions): Roster =>
    makeRoster(parseOptions(options).options, many, { cores: 64, files });

  test('are enough, or the number of agents is refused', () => {
    expect(under(104, { agentsCount: 8 }).names).toHaveLength(8);
    expect(under(null, { agentsCount: 200 }).names).toHaveLength(200);
    expect(() => under(103, { agentsCount: 8 })).toThrow(
      new Refusal(
        2,
        'This process may have 103 files open at once, and 8 agents need 104. Raise the limit (ulimit -n 1024), or take fewer agents (-j 7).',
      ),
    );
  });

  test('bound a number that follows the load', () => {
    expect(under(104, { agentsCount: 'auto' }).scaling?.policy.max).toBe(8);
    expect(under(104, { agentsCount: 'auto', maxAgents: 4 }).scaling?.policy.max).toBe(4);
  });
});

describe('a number that follows the load', () => {
  const many = Array.from({ length: 300 }, (_, index) => task(`ws-${index}`, 'x'));
  const auto = (options: CoordinatorOptions, cores: number, workstreams = many): Roster =>
    makeRoster(parseOptions({ agentsCount: 'auto', ...options }).options, workstreams, { cores });
  const bounds = ({ scaling }: Roster) => [scaling?.start.to, scaling?.policy.max];

  test('starts with the cores, and has most agents by them', () => {
    expect(bounds(auto({}, 1.5))).toEqual([2, 16]);
    expect(bounds(auto({}, 4))).toEqual([4, 32]);
    expect(bounds(auto({}, 64))).toEqual([64, 128]);
    expect(bounds(auto({ maxAgents: 3 }, 4))).toEqual([3, 3]);
    expect(bounds(auto({}, 4, many.slice(0, 6)))).toEqual([4, 6]);
    expect(auto({}, 4).names).toEqual(['agent-1', 'agent-2', 'agent-3', 'agent-4']);
  });

  test('is one when a person is asked, and a number that is named does not follow anything', () => {
    const asked = auto({ ask: async () => 'run' }, 4);
    expect([asked.names, asked.scaling]).toEqual([['agent-1'], null]);
    expect(rosterOf({ agentsCount: 2, maxAgents: 1 }, many)).toMatchObject({ scaling: null });
  });

  test('is refused where agents are named or pinned', () => {
    const refusal = (options: CoordinatorOptions): unknown => {
      try {
        return auto(options, 4);
      } catch (error) {
        return error instanceof Refusal ? [error.exitCode, error.message] : error;
      }
    };
    expect(refusal({ project: { agents: [{ name: 'anna' }] } })).toEqual([2, expect.stringMatching(/named/)]);
    expect(refusal({ distribution: 'round-robin' })).toEqual([2, expect.stringMatching(/round-robin/)]);
  });
});

describe('tools', () => {
  const mine: [string, ...string[]] = ['my-tool', '-x'];
  const project = {
    tools: { claude: { model: 'opus' }, mine: { command: mine } },
    capabilities: { code_generation: 'codex' },
    agents: [{ name: 'anna', tool: 'mine' }],
  };

  test('a name stands for one of the configuration, a built-in one, or a capability', () => {
    const roster = rosterOf({ agentsCount: 2, project });
    expect(behind(roster, 1, 'claude')).toBe('claude: claude');
    expect(roster.toolsOf(1, task('ws-a', 'claude'))['claude']?.model).toBe('opus');
    expect(behind(roster, 1, 'mine')).toBe('mine: my-tool -x');
    expect(behind(roster, 1, 'code_generation')).toBe('codex: codex');
    expect(behind(roster, 1, 'nobody')).toBeNull();
    expect(behind(roster, 1, 'constructor')).toBeNull();
  });

  test("an agent's tool goes before the step's, and the run's before that", () => {
    expect(behind(rosterOf({ project }), 0, 'claude')).toBe('mine: my-tool -x');
    expect(behind(rosterOf({ project, tool: 'gemini' }), 0, 'claude')).toBe('gemini: gemini');
  });

  test('a tool that nobody knows is refused before anything runs', () => {
    expect(() => rosterOf({ tool: 'nobody' })).toThrow(Refusal);
    expect(() => rosterOf({ bestOf: ['claude', 'nobody'] })).toThrow('There is no tool "nobody".');
    expect(() => rosterOf({ project: { agents: [{ name: 'anna', tool: 'nobody' }] } })).toThrow(Refusal);
  });
});

describe('tracks', () => {
  const project = {
    agents: [{ name: 'anna', tracks: ['core'] }, { name: 'ben', tracks: ['web'] }, { name: 'cleo' }],
    tracks: { core: ['ws-core-*'], web: ['ws-page'] },
  };
  const workstreams = [
    task('ws-core-1', 'x'),
    task('ws-core-2', 'x'),
    task('ws-page', 'x'),
    task('ws-any', 'x'),
    task('ws-other', 'x', 'nobody-takes-it'),
    task('ws-core-but-web', 'x', 'web'),
  ];

  /** What an agent gets when it alone takes all it may. */
  function takenBy(agent: number): (string | undefined)[] {
    const { tracks } = rosterOf({ project }, workstreams);
    const ready = new ReadyQueue(workstreams, { agents: 3, distribution: 'dynamic', tracks });
    for (const index of workstreams.keys()) ready.add(index);
    const taken: (string | undefined)[] = [];
    for (let index = ready.take(agent); index !== undefined; index = ready.take(agent)) {
      taken.push(workstreams[index]?.id);
    }
    return taken;
  }

  test('each agent takes those of its tracks, in order, and what belongs to no track or to nobody', () => {
    expect(takenBy(0)).toEqual(['ws-core-1', 'ws-core-2', 'ws-any', 'ws-other']);
    expect(takenBy(1)).toEqual(['ws-page', 'ws-any', 'ws-other', 'ws-core-but-web']);
    expect(takenBy(2)).toHaveLength(6);
  });

  test('do not go together with pinned distribution', () => {
    expect(() => rosterOf({ project, distribution: 'round-robin' }, workstreams)).toThrow(/round-robin/);
    expect(rosterOf({}, workstreams).tracks).toBeNull();
  });
});
