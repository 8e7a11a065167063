/** Usage limits of the real programs, how they go on with a session, and what becomes of one that does not exit. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ToolSettings, UsageLimit } from '../../src/domain/tool.ts';
import { claude } from '../../workers/tools/claude.ts';
import { codex } from '../../workers/tools/codex.ts';
import { gemini } from '../../workers/tools/gemini.ts';
import { opencode } from '../../workers/tools/opencode.ts';
import type { ToolAdapter } from '../../workers/tools/tool.ts';
import { millrace, writeFiles } from '../kit/command.ts';
import { isLiving } from '../kit/is-living.ts';
import { query } from '../kit/rows.ts';
import { agentFolders, type Ended, type Folders, settingsOf, startAgent } from './agent.ts';
import { anthropicServer, claudeEnvironment } from './anthropic-server.ts';
import { geminiEnvironment, geminiServer, MODEL } from './gemini-server.ts';
import type { ModelServer, Reply } from './model-server.ts';
import { codexEnvironment, openaiServer } from './openai-server.ts';
import { opencodeEnvironment, opencodeServer } from './opencode-server.ts';
import { program, whyMissing } from './programs.ts';

interface Agent {
  adapter: ToolAdapter;
  server: (...script: [Reply, ...Reply[]]) => Promise<ModelServer>;
  settings: (address: string, home: string) => ToolSettings;
  /** A session that it never had. */
  unknown: string;
}

/** Runs the program to its end beside a child that has its output, and stays. */
const STAYS = `case "$*" in *--version*) exec "$PROGRAM" "$@" ;; esac
sleep 1000 & echo $! > "$PID_FILE"
"$PROGRAM" "$@"; wait`;

const NO_SESSION = '99999999-2222-4333-8444-555555555555';
const AGENTS: Record<'claude' | 'codex' | 'gemini' | 'opencode', Agent> = {
  claude: {
    adapter: claude,
    server: anthropicServer,
    settings: (address, home) => settingsOf('claude', program('claude'), claudeEnvironment(address, home)),
    unknown: NO_SESSION,
  },
  codex: {
    adapter: codex,
    server: openaiServer,
    settings: (address, home) => settingsOf('codex', program('codex'), codexEnvironment(address, home)),
    unknown: NO_SESSION,
  },
  gemini: {
    adapter: gemini,
    server: geminiServer,
    settings: (address, home) => ({
      ...settingsOf('gemini', program('gemini'), geminiEnvironment(address, home)),
      model: MODEL,
    }),
    unknown: NO_SESSION,
  },
  opencode: {
    adapter: opencode,
    server: opencodeServer,
    settings: (address, home) => ({
      ...settingsOf('opencode', program('opencode'), opencodeEnvironment(address, home)),
      model: 'scripted/model',
    }),
    unknown: 'ses_0000000000000000000000000a',
  },
};

async function run(
  { adapter, settings }: Agent,
  server: ModelServer,
  folders: Folders,
  resume?: string,
): Promise<Ended> {
  const task = { adapter, settings: settings(server.address, folders.home), folders };
  return startAgent(resume === undefined ? task : { ...task, resume }).ended;
}

describe.each(Object.keys(AGENTS) as (keyof typeof AGENTS)[])('%s', (name) => {
  const agent = AGENTS[name];
  const missing = whyMissing(name);

  test.skipIf(missing !== null)(
    'goes on with a session: its model is told what was said before',
    async () => {
      const folders = agentFolders();
      const server = await agent.server({ say: 'The first answer.' }, { say: 'The second answer.' });
      const first = await run(agent, server, folders);
      expect(first.failure).toBeNull();
      const asked = server.requests.length;
      const again = await run(agent, server, folders, first.findings.sessionId ?? '');
      expect(again.failure).toBeNull();
      expect(again.lostSession).toBe(false);
      expect(again.findings).toMatchObject({
        sessionId: first.findings.sessionId,
        text: 'The second answer.',
      });
      expect(JSON.stringify(server.requests.slice(asked))).toContain('The first answer.');
    },
  );

  test.skipIf(missing !== null)('says that it has no such session, and asks no model', async () => {
    const server = await agent.server({ say: 'Never said.' });
    const ended = await run(agent, server, agentFolders(), agent.unknown);
    expect(ended.failure).not.toBeNull();
    expect(ended.lostSession).toBe(true);
    expect(server.requests).toEqual([]);
  });

  test.skipIf(missing !== null)(
    'whose process stays after its result is ended with what it started, and the result counts',
    async () => {
      const folders = agentFolders();
      const server = await agent.server({ say: 'It is done.' });
      const { command, env, model } = agent.settings(server.address, folders.home);
      const pidFile = join(folders.root, 'pid');
      const tool = {
        command: ['sh', '-c', STAYS, name],
        env: { ...env, PROGRAM: command[0], PID_FILE: pidFile },
        exit_grace_seconds: 0.1,
        ...(model === null ? {} : { model }),
      };
      writeFiles(folders.work, {
        'millrace.config.json': { tools: { [name]: tool } },
        'workstreams/a.json': [
          { id: 'ws-a', tool: name, tasks: ['say that it is done'], workspace: 'shared' },
        ],
      });
      const { code } = await millrace(folders.work, ['run']);
      const [row] = query<{ status: string; warnings: string }>(
        folders.work,
        'SELECT status, warnings FROM agent_results',
      );
      expect(row?.warnings).toContain(`${name} had reported its result and did not exit within 0.1 s`);
      expect([code, row?.status]).toEqual([0, 'completed']);
      expect(isLiving(Number(readFileSync(pidFile, 'utf8')))).toBe(false);
    },
  );
});

/** The limit that a program tells of when its server answers so. */
async function limit(name: keyof typeof AGENTS, reply: Reply): Promise<UsageLimit | null> {
  const agent = AGENTS[name];
  const ended = await run(agent, await agent.server(reply), agentFolders());
  expect(ended.failure).not.toBeNull();
  return ended.limit;
}

describe('a usage limit', () => {
  const inTwoHours = Math.floor(Date.now() / 1000) + 7_200;

  test.skipIf(whyMissing('claude') !== null)('of claude', async () => {
    const message = 'This request would exceed your rate limit';
    expect(await limit('claude', { status: 429, type: 'rate_limit_error', message })).toMatchObject({
      class: 'rate',
    });
    const credit = 'Your credit balance is too low to access the Anthropic API.';
    expect(
      await limit('claude', { status: 400, type: 'invalid_request_error', message: credit }),
    ).toMatchObject({ class: 'cap' });
    expect(
      await limit('claude', { status: 401, type: 'authentication_error', message: 'invalid x-api-key' }),
    ).toMatchObject({ class: 'auth' });
  });

  test.skipIf(whyMissing('claude') !== null)(
    'of an account of claude, with the time at which it resets, after which its session goes on',
    async () => {
      const folders = agentFolders();
      const server = await anthropicServer(
        {
          status: 429,
          type: 'rate_limit_error',
          message: 'The limit',
          headers: {
            'anthropic-ratelimit-unified-status': 'rejected',
            'anthropic-ratelimit-unified-reset': String(inTwoHours),
            'anthropic-ratelimit-unified-representative-claim': 'five_hour',
          },
        },
        { say: 'Now it is done.' },
      );
      const account = { ANTHROPIC_API_KEY: '', CLAUDE_CODE_OAUTH_TOKEN: 'sk-ant-oat01-none' };
      const agent: Agent = {
        ...AGENTS.claude,
        settings: (address, home) =>
          settingsOf('claude', program('claude'), { ...claudeEnvironment(address, home), ...account }),
      };
      const first = await run(agent, server, folders);
      expect(first.limit).toMatchObject({ class: 'window', resetsAt: inTwoHours * 1000, exact: true });
      const again = await run(agent, server, folders, first.findings.sessionId ?? '');
      expect(again).toMatchObject({ failure: null, lostSession: false });
      expect(again.findings.text).toBe('Now it is done.');
    },
  );

  test.skipIf(whyMissing('codex') !== null)('of codex, with the time at which it resets', async () => {
    const found = await limit('codex', {
      status: 429,
      type: 'usage_limit_reached',
      message: 'The usage limit has been reached',
      more: { resets_at: inTwoHours, plan_type: 'plus' },
    });
    expect(found).toMatchObject({ class: 'window' });
    expect(Math.abs((found?.resetsAt ?? 0) / 1000 - inTwoHours)).toBeLessThan(120);
    expect(
      await limit('codex', { status: 429, type: 'insufficient_quota', message: 'You exceeded it' }),
    ).toMatchObject({ class: 'cap' });
  });

  test.skipIf(whyMissing('gemini') !== null)('of gemini, with the time at which it resets', async () => {
    const found = await limit('gemini', {
      status: 429,
      type: 'RESOURCE_EXHAUSTED',
      message: 'You have exhausted your capacity on this model. Your quota will reset after 2h0m0s.',
    });
    expect(found).toMatchObject({ class: 'window' });
    expect(Math.abs((found?.resetsAt ?? 0) / 1000 - Date.now() / 1000 - 7_200)).toBeLessThan(120);
  });

  test.skipIf(whyMissing('opencode') !== null)('of opencode', async () => {
    expect(
      await limit('opencode', { status: 402, type: 'billing_error', message: 'Nothing is left.' }),
    ).toMatchObject({ class: 'cap' });
  });
});
