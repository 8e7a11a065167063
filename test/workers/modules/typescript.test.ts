/** What a thread does with TypeScript besides executing it: how much it loads, how often, and what it says. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Step } from '../../../src/domain/workstream.ts';
import { writeFiles } from '../../kit/command.ts';
import { moduleStep } from '../../kit/definitions.ts';
import { type Executed, OneThread, oneThread } from '../../kit/one-thread.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

const thread = oneThread();
const run = (...steps: Step[]): Promise<Executed> => thread.run(steps);

/** Returns the path of each file by its name. */
function written(files: Record<string, string>): (name: string) => string {
  const folder = temporaryFolder();
  writeFiles(folder, files);
  return (name) => join(folder, name);
}

const outputOf = async (...steps: Step[]): Promise<unknown> => {
  const { outcome, replaced } = await run(...steps);
  expect(outcome.failure).toBeNull();
  expect(outcome.warnings).toEqual([]);
  expect(replaced).toEqual([]);
  return JSON.parse(outcome.output ?? 'null');
};

describe('a thread', () => {
  const COUNTS =
    'import { counter } from "./counter.js";\nexport default () => ({ output: (counter.n += 1) });\n';

  test('has a module once that several steps, and JavaScript and TypeScript, import and require', async () => {
    const at = written({
      'counter.ts': 'export const counter = { n: 0 as number };',
      'a.ts': COUNTS,
      'b.mts': COUNTS,
      'c.mjs': COUNTS.replace('.js', '.ts'),
      'd.ts': COUNTS.replace('./counter.js', './counter'),
    });
    const steps = ['a.ts', 'b.mts', 'c.mjs', 'd.ts'].map((name) => moduleStep(at(name)));
    expect(await outputOf(...steps)).toBe(4);
    expect(await outputOf(moduleStep(at('a.ts')))).toBe(5);
  });

  test('has CommonJS once that is imported and required', async () => {
    const at = written({
      'counter.cts': 'exports.counter = { n: 0 as number };',
      'a.mts': COUNTS.replace('.js', '.cts'),
      'b.cts':
        'const { counter } = require("./counter.cjs");\nexports.default = () => ({ output: (counter.n += 1) });',
    });
    expect(await outputOf(moduleStep(at('a.mts')), moduleStep(at('b.cts')))).toBe(2);
  });

  test('that has loaded TypeScript is as it was: the next workstream gets it', async () => {
    const at = written({
      'a.ts':
        'import b from "./b.cjs"; export default async () => ({ output: [b, (await import("./c.js")).c] });',
      'b.cts': 'export = 1;',
      'c.ts': 'export const c: number = 2;',
      'id.mjs':
        'import { threadId } from "node:worker_threads"; export default () => ({ output: threadId });',
    });
    const before = await outputOf(moduleStep(at('id.mjs')));
    expect(await outputOf(moduleStep(at('a.ts')))).toEqual([1, 2]);
    expect(await outputOf(moduleStep(at('id.mjs')))).toBe(before);
  });

  test('sees what was edited after it was compiled, and before it was loaded', async () => {
    const text = (n: number): string => `export default (): object => ({ output: ${n} as number });`;
    const at = written({
      'first.ts': 'export default () => undefined; export const later = () => import("./second.ts");',
      'second.ts': text(1),
    });
    await outputOf(moduleStep(at('first.ts')));
    writeFileSync(at('second.ts'), text(2));
    expect(await outputOf(moduleStep(at('second.ts')))).toBe(2);
  });

  test("without TypeScript has Node's own loaders", async () => {
    const at = written({
      'a.mjs':
        'import { createRequire } from "node:module"; export default () => ({ output: Object.keys(createRequire(import.meta.url).extensions) });',
    });
    const fresh = new OneThread();
    const { outcome } = await fresh.run([moduleStep(at('a.mjs'))]);
    await fresh.close();
    expect(outcome.output).not.toContain('.tsx');
    expect(await outputOf(moduleStep(at('a.mjs')))).toContain('.tsx');
  });
});

describe('an error in TypeScript', () => {
  const THROWS =
    'interface Unused {\n  a: 1;\n}\n\nexport const fails = (): never => {\n  throw new TypeError("broken");\n};\n';

  test('has the place in the file, also in CommonJS', async () => {
    const at = written({ 'a.ts': THROWS, 'b.cts': THROWS });
    for (const name of ['a.ts', 'b.cts']) {
      const { outcome } = await run(moduleStep(at(name), 'fails'));
      expect(outcome.failure).toMatchObject({ reason: 'thrown', thrown: { message: 'broken' } });
      expect(JSON.stringify(outcome.failure)).toContain(`${at(name)}:6:9`);
      expect(JSON.stringify(outcome)).not.toContain(thread.cacheFolder);
    }
  });

  test('that is thrown in a callback has the place in the file', async () => {
    const text =
      'type Unused = 1;\nexport default () =>\n  new Promise(() => {\n    setTimeout(() => {\n      throw new Error("in a callback");\n    }, 1);\n  });\n';
    const at = written({ 'a.ts': text });
    const { outcome } = await run(moduleStep(at('a.ts')));
    expect(outcome.failure).toMatchObject({ reason: 'thrown', how: 'uncaught-exception' });
    expect(JSON.stringify(outcome.failure)).toContain(`${at('a.ts')}:5:13`);
  });

  test('of syntax says which file, line and column, whoever imports it', async () => {
    const at = written({
      'a.ts': 'import "./b.ts";\nexport default () => undefined;\n',
      'b.ts': 'const a = 1;\nconst b: = 2;\n',
    });
    const { outcome } = await run(moduleStep(at('a.ts')));
    const message = `${at('b.ts')}:2:10: Unexpected "="\n    const b: = 2;`;
    expect(outcome.failure).toMatchObject({
      reason: 'module-load-failed',
      thrown: { name: 'SyntaxError', message },
    });
  });

  test('of a type that is exported again says that it has to be marked', async () => {
    const at = written({
      'a.ts': 'export { T } from "./t.ts"; export default () => undefined;',
      't.ts': 'export interface T { t: 1 }',
    });
    const { outcome } = await run(moduleStep(at('a.ts')));
    expect(outcome.failure).toMatchObject({ reason: 'module-load-failed' });
    expect(outcome.warnings).toEqual([expect.stringContaining('export type { … }')]);
  });

  test('of a package says that packages are JavaScript', async () => {
    const at = written({
      'a.ts': 'import "pkg"; export default () => undefined;',
      'node_modules/pkg/package.json': '{ "type": "module", "exports": "./index.ts" }',
      'node_modules/pkg/index.ts': 'export {};',
    });
    const { outcome } = await run(moduleStep(at('a.ts')));
    const code = 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING';
    expect(outcome.failure).toMatchObject({ reason: 'module-load-failed', thrown: { code } });
    expect(JSON.stringify(outcome.failure)).toContain(at('node_modules/pkg/index.ts'));
  });
});
