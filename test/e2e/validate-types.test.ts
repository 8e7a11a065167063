/** `millrace validate --types`: the types of TypeScript modules, checked by the project's own tsc. */
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { millrace, writeFiles } from '../kit/command.ts';
import { temporaryFolder } from '../kit/temporary-folder.ts';

const ownPackage = fileURLToPath(new URL('../../node_modules/typescript', import.meta.url));

const GOOD = 'export default (): { output: number } => ({ output: 1 });\n';
const BAD = 'const n: number = "text";\nexport default (): object => ({ output: n });\n';
const TSCONFIG =
  '{ "compilerOptions": { "module": "nodenext", "strict": true, "types": [] }, "include": ["m"] }';

/** A project with tsc, and a workstream for each module. */
function projectWith(files: Record<string, string>): string {
  const folder = temporaryFolder();
  const modules = Object.keys(files).filter((path) => path.endsWith('.ts'));
  const workstreams = modules.map((path, index) => ({
    id: `ws-${index}`,
    steps: [{ module: `../${path}` }],
  }));
  writeFiles(folder, { ...files, 'workstreams/all.json': workstreams, 'node_modules/.keep': '' });
  symlinkSync(ownPackage, join(folder, 'node_modules/typescript'));
  return folder;
}

test('finds nothing in a project that is correct, and says nothing of types without --types', async () => {
  const correct = projectWith({ 'm/good.ts': GOOD, 'tsconfig.json': TSCONFIG });
  expect(await millrace(correct, ['validate', '--types'])).toMatchObject({ code: 0 });
  const wrong = projectWith({ 'm/bad.ts': BAD, 'tsconfig.json': TSCONFIG });
  expect(await millrace(wrong, ['validate'])).toMatchObject({ code: 0 });
});

test('names file, line and column of what tsc finds', async () => {
  const folder = projectWith({ 'm/bad.ts': BAD, 'm/good.ts': GOOD, 'tsconfig.json': TSCONFIG });
  const { code, stdout } = await millrace(folder, ['validate', '--types']);
  expect(code).toBe(1);
  expect(stdout).toMatch(/^m\/bad\.ts:1:7: error: TS2322: Type 'string' is not assignable to type 'number'/m);
  expect(stdout).toContain('1 error, 0 warnings');
});

test('checks a module without tsconfig.json', async () => {
  const { code, stdout } = await millrace(projectWith({ 'm/bad.ts': BAD }), ['validate', '--types']);
  expect(code).toBe(1);
  expect(stdout).toMatch(/^m\/bad\.ts:1:7: error: TS2322: /m);
});

test('says of a module that tsconfig.json does not include that it was not checked', async () => {
  const folder = projectWith({ 'm/good.ts': GOOD, 'other/good.ts': GOOD, 'tsconfig.json': TSCONFIG });
  const { code, stdout } = await millrace(folder, ['validate', '--types']);
  expect(code).toBe(1);
  expect(stdout).toMatch(
    /^other\/good\.ts: error: its types were not checked: \S+tsconfig\.json does not include it$/m,
  );
});

test('says what to do where the project has no tsc', async () => {
  const folder = temporaryFolder();
  writeFiles(folder, {
    'm/good.ts': GOOD,
    'workstreams/a.json': { id: 'ws-a', steps: [{ module: '../m/good.ts' }] },
  });
  const { code, stdout } = await millrace(folder, ['validate', '--types']);
  expect(code).toBe(1);
  expect(stdout).toMatch(
    /^m\/good\.ts: error: its types were not checked: .*npm install --save-dev typescript/m,
  );
});
