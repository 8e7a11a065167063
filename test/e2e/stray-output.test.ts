/** What modules write to the descriptors of standard output and error, by whatever call, is in no document of the run. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { millrace, parseLines, writeFiles } from '../kit/command.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const SECRET = 'a-secret-that-nobody-may-see';

const MODULE = `
import fs from 'node:fs';
import { Worker } from 'node:worker_threads';
const text = (name) => name + ' ' + process.env.DEPLOY_TOKEN + '\\n';
export const writeSync = () => { fs.writeSync(1, text('writeSync')); };
export const write = () => new Promise((resolve) => fs.write(1, text('write'), () => resolve()));
export const writeFile = () => fs.writeFileSync('/dev/stdout', text('writeFile'), { flag: 'a' });
export const writeFileToDescriptor = () => fs.writeFileSync(2, text('writeFileToDescriptor'));
export const writeStream = () => new Promise((resolve) => fs.createWriteStream('', { fd: 1, autoClose: false }).write(text('writeStream'), () => resolve()));
export const end = () => { process.stdout.end(text('end')); };
export const fromPrototype = () => { Object.getPrototypeOf(process.stdout).write.call(process.stdout, text('fromPrototype')); };
export const rawDebug = () => { process._rawDebug(text('rawDebug')); };
export const nativeWrite = () => { process.binding('fs').writeString(1, text('nativeWrite'), null, 'utf8', undefined, {}); };
export const warning = () => { process.emitWarning(text('warning')); };
export const nested = () => new Promise((resolve) => {
  const worker = new Worker("console.log(" + JSON.stringify(text('nested').trim()) + "); require('fs').writeSync(1, " + JSON.stringify(text('nestedWrite')) + ");", { eval: true });
  worker.once('exit', () => resolve());
});`;

const NAMES = [...MODULE.matchAll(/export const (\w+)/g)].map(([, name]) => name ?? '');

function project(): string {
  const folder = temporaryFolder();
  const definitions = NAMES.map((name) => ({
    id: `ws-${name.toLowerCase()}`,
    steps: [{ module: '../module.mjs', export: name }],
  }));
  writeFiles(folder, { 'module.mjs': MODULE, 'workstreams/all.json': definitions });
  return folder;
}

const env = { DEPLOY_TOKEN: SECRET };

function logsOf(folder: string): string {
  const runs = join(folder, '.state/logs');
  if (!existsSync(runs)) return '';
  return readdirSync(runs, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.log'))
    .map((name) => readFileSync(join(runs, name), 'utf8'))
    .join('');
}

test('standard output is one document, and every line stands without its secret in a log', async () => {
  const folder = project();
  const { code, stdout, stderr } = await millrace(folder, ['run', '--json'], env);
  const document: unknown = JSON.parse(stdout);
  expect(document).toBeTypeOf('object');
  expect(code).toBe(0);
  const everything = logsOf(folder) + stdout + stderr;
  expect(everything).not.toContain(SECRET);
  for (const name of NAMES) expect(everything).toContain(`${name} [redacted: DEPLOY_TOKEN`);
  expect(parseLines(stderr).length).toBeGreaterThan(NAMES.length);
});

test('standard output is NDJSON alone', async () => {
  const { stdout, stderr } = await millrace(project(), ['run'], env);
  expect(parseLines(stdout).at(-1)).toMatchObject({ event: 'run-ended', completed: NAMES.length });
  expect(stdout + stderr).not.toContain(SECRET);
});

test('what Node says before a run begins is on standard error', async () => {
  const { stdout, stderr } = await millrace(temporaryFolder(), ['run', '--no-such-option']);
  expect(stdout).toBe('');
  expect(stderr).toContain('such-option');
});
