/** The README's commands and code blocks, in its order, in a folder with nothing in it. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect, test } from 'vitest';
import { bin, cleanEnvironment } from './kit/command.ts';
import { temporaryFolder } from './kit/temporary-folder.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const blocks = [...readme.matchAll(/```(sh|json)\n(.*?)```/gs)].map(([, language, text]) => ({
  language,
  text: text ?? '',
}));

/** A folder whose `bin/millrace` is the built command, as `npm link` makes it. */
function linkedFolder(): { cwd: string; env: NodeJS.ProcessEnv } {
  const cwd = temporaryFolder();
  const folder = join(cwd, 'bin');
  mkdirSync(folder);
  writeFileSync(join(folder, 'millrace'), `#!/bin/sh\nexec "${process.execPath}" "${bin}" "$@"\n`);
  chmodSync(join(folder, 'millrace'), 0o755);
  const env = cleanEnvironment();
  return { cwd, env: { ...env, PATH: `${folder}${delimiter}${env['PATH'] ?? ''}` } };
}

test('the README runs as it is written, but for installing and testing', () => {
  const { cwd, env } = linkedFolder();
  const hasJq = spawnSync('jq', ['--version']).status === 0;
  const ran: string[] = [];
  for (const { language, text } of blocks) {
    if (language === 'json') {
      writeFileSync(join(cwd, 'workstreams', 'ws-report.json'), text);
      continue;
    }
    for (const line of text.split('\n')) {
      const command = line.replace(/ +# .*$/, '');
      if (command === '' || command.startsWith('npm ')) continue;
      if (command.includes('| jq') && !hasJq) continue;
      const { status, stderr } = spawnSync('sh', ['-c', command], { cwd, env, encoding: 'utf8' });
      expect({ command, status, stderr: command.includes('--json') ? '' : stderr }).toEqual({
        command,
        status: 0,
        stderr: '',
      });
      ran.push(command);
    }
  }
  expect(ran.length).toBeGreaterThanOrEqual(10);
  expect(readFileSync(join(cwd, 'results.xml'), 'utf8')).toContain('ws-report');
  expect(JSON.parse(readFileSync(join(cwd, 'result.json'), 'utf8'))).toMatchObject({ version: 1 });
});
