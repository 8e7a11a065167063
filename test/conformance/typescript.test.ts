/**
 * Each way to write a module: in TypeScript an agent does with it what plain Node does with the same in JavaScript.
 * `npm run test:typescript` runs this alone, on whatever Node it is started with.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { ProcessEngine } from '../../src/engine/processes.ts';
import { ThreadEngine } from '../../src/engine/threads.ts';
import { engineSettings } from '../kit/engine-settings.ts';
import { endingsOf, type Twins } from '../kit/twins.ts';

const cacheFolder = mkdtempSync(join(tmpdir(), 'millrace-cache-'));
const threads = new ThreadEngine({ ...engineSettings(cacheFolder), agents: 1, manyCommands: false });
const processes = new ProcessEngine(engineSettings(cacheFolder));
afterAll(async () => {
  await Promise.all([threads.close(), processes.close()]);
  rmSync(cacheFolder, { recursive: true });
});

/** One file each, which says the same in both languages. */
const same = (text: string, ts = 'main.mts', js = 'main.mjs'): Twins => ({
  ts: { [ts]: text },
  js: { [js]: text },
});

const MODULE = '{ "type": "module" }';
const COMMONJS = '{ "type": "commonjs" }';

const WAYS: Record<string, Record<string, Twins>> = {
  'what TypeScript adds': {
    'types are left out': {
      ts: {
        'main.ts': 'export default (): { output: number } => ({ output: (1 as number) satisfies number });',
      },
      js: { 'main.mjs': 'export default () => ({ output: 1 });' },
    },
    'an enum has both directions': {
      ts: {
        'main.ts':
          'enum E { A = 1, B = 2, C = A | B }\nexport default () => ({ output: [E.C, E[2], Object.keys(E)] });',
      },
      js: {
        'main.mjs':
          'var E; ((e) => { e[e.A = 1] = "A"; e[e.B = 2] = "B"; e[e.C = 3] = "C"; })(E || (E = {}));\nexport default () => ({ output: [E.C, E[2], Object.keys(E)] });',
      },
    },
    'a const enum of another file is there': {
      ts: {
        'main.ts': 'import { Colour } from "./colour.ts";\nexport default () => ({ output: Colour.Red });',
        'colour.ts': 'export const enum Colour { Red = "red" }',
      },
      js: { 'main.mjs': 'export default () => ({ output: "red" });' },
    },
    'a namespace is an object': {
      ts: {
        'main.ts':
          'namespace N { export const a = 1; export namespace M { export const b = a + 1; } }\nexport default () => ({ output: N });',
      },
      js: { 'main.mjs': 'export default () => ({ output: { a: 1, M: { b: 2 } } });' },
    },
    'parameters become properties': {
      ts: {
        'main.ts':
          'class P { constructor(public x: number, readonly y = 2) {} }\nexport default () => ({ output: { ...new P(1) } });',
      },
      js: { 'main.mjs': 'export default () => ({ output: { x: 1, y: 2 } });' },
    },
    'imports of types alone are left out': {
      ts: {
        'main.ts':
          'import { T } from "./side.ts";\nimport { type U, v } from "./values.ts";\nconst t: T & U = { t: v };\nexport default () => ({ output: [t, globalThis.sideEffect ?? null] });',
        'side.ts': 'globalThis.sideEffect = true; export interface T { t: number }',
        'values.ts': 'export type U = object; export const v = 1;',
      },
      js: { 'main.mjs': 'export default () => ({ output: [{ t: 1 }, null] });' },
    },
    'JSX calls what tsconfig.json names': {
      ts: {
        'main.tsx': 'import { h } from "./h.js";\nexport default () => ({ output: <p id="a">text</p> });',
        'h.ts':
          'export const h = (name: string, props: object, ...children: unknown[]) => ({ name, props, children });',
        'tsconfig.json': '{ "compilerOptions": { "jsx": "react", "jsxFactory": "h" } }',
      },
      js: {
        'main.mjs':
          'export default () => ({ output: { name: "p", props: { id: "a" }, children: ["text"] } });',
      },
    },
    'JSX imports the runtime that tsconfig.json names': {
      ts: {
        'main.tsx': 'export default () => ({ output: <b>text</b> });',
        'tsconfig.json': '{ "compilerOptions": { "jsx": "react-jsx", "jsxImportSource": "own" } }',
      },
      js: {
        'main.mjs':
          'import { jsx } from "own/jsx-runtime";\nexport default () => ({ output: jsx("b", { children: "text" }) });',
      },
      both: {
        'node_modules/own/package.json': '{ "name": "own", "exports": { "./jsx-runtime": "./runtime.mjs" } }',
        'node_modules/own/runtime.mjs': 'export const jsx = (name, props) => ({ name, props });',
      },
    },
    'a standard decorator wraps a method': {
      ts: {
        'main.ts':
          'const twice = (f: () => number, _: ClassMethodDecoratorContext) => function (this: unknown) { return f.call(this) * 2; };\nclass A { @twice n() { return 21; } }\nexport default () => ({ output: new A().n() });',
      },
      js: { 'main.mjs': 'export default () => ({ output: 42 });' },
    },
    'an experimental decorator gets three arguments': {
      ts: {
        'main.ts':
          'const seen: unknown[] = [];\nconst note = (target: object, name: string, d: PropertyDescriptor) => void seen.push(name, typeof d.value);\nclass A { @note n() {} }\nexport default () => ({ output: [seen, A.name] });',
        'tsconfig.json': '{ "compilerOptions": { "experimentalDecorators": true } }',
      },
      js: { 'main.mjs': 'export default () => ({ output: [["n", "function"], "A"] });' },
    },
    'fields are assigned where tsconfig.json says so, in what it extends too': {
      ts: {
        'src/main.ts':
          'class A { set x(v: unknown) { log.push(v); } }\nconst log: unknown[] = [];\nclass B extends A { x = 1; y; static z = B.name; }\nexport default () => ({ output: [log, Object.keys(new B()), log, B.z] });',
        'tsconfig.json': '// with a comment\n{ "extends": ["./base.json"], }',
        'base.json': '{ "compilerOptions": { "useDefineForClassFields": false } }',
      },
      js: { 'main.mjs': 'export default () => ({ output: [[1], [], [1], "B"] });' },
    },
    'fields are defined otherwise': {
      ts: {
        'main.ts':
          'class A { y; set x(v: unknown) {} }\nclass B extends A { x = 1; }\nexport default () => ({ output: Object.keys(new B()) });',
      },
      js: { 'main.mjs': 'export default () => ({ output: ["y", "x"] });' },
    },
    'a using declaration disposes': {
      ts: {
        'main.ts':
          'const log: string[] = [];\nconst f = () => { using a = { [Symbol.dispose ?? Symbol.for("Symbol.dispose")]: () => log.push("disposed") }; log.push("used"); };\nexport default () => { f(); return { output: log }; };',
      },
      js: { 'main.mjs': 'export default () => ({ output: ["used", "disposed"] });' },
    },
  },
  'where a module is': {
    'import.meta says it': same(
      'export default () => ({ output: [import.meta.dirname, import.meta.filename, import.meta.url, import.meta.resolve("./d.txt"), import.meta.resolve("node:fs")] });',
    ),
    'a file beside it is read': {
      ...same(
        'import { readFileSync } from "node:fs";\nexport default () => ({ output: readFileSync(new URL("./d.txt", import.meta.url), "utf8") });',
      ),
      both: { 'd.txt': 'data' },
    },
    'CommonJS says it': {
      ...same(
        'exports.default = () => ({ output: [__dirname, __filename, require.resolve("./d.txt"), module.id, require.main === module, typeof module.paths] });',
        'main.cts',
        'main.cjs',
      ),
      both: { 'd.txt': 'data' },
    },
    'a query is a module of its own': {
      ts: {
        'main.mts':
          'import a from "./part.mts?a"; import b from "./part.mts?b";\nexport default () => ({ output: [a === b, a.url, b.url] });',
        'part.mts': 'export default { url: import.meta.url };',
      },
      js: {
        'main.mjs':
          'import a from "./part.mjs?a"; import b from "./part.mjs?b";\nexport default () => ({ output: [a === b, a.url, b.url] });',
        'part.mjs': 'export default { url: import.meta.url };',
      },
    },
    'names with spaces, percent signs and letters of any script are found': {
      ts: {
        'ä b%20.mts':
          'import { a } from "./%C3%BC%20%2520.mts"; export default () => ({ output: [a, import.meta.filename] });',
        'ü %20.mts': 'export const a = import.meta.url;',
      },
      js: {
        'ä b%20.mjs':
          'import { a } from "./%C3%BC%20%2520.mjs"; export default () => ({ output: [a, import.meta.filename] });',
        'ü %20.mjs': 'export const a = import.meta.url;',
      },
    },
    'a link is followed to what it names': {
      ts: {
        'linked.ts': '-> real/deep/main.ts',
        'real/deep/main.ts':
          'import { p } from "plain"; import { q } from "./part.js"; export default () => ({ output: [p, q, import.meta.url] });',
        'real/deep/part.ts': 'export const q = 1;',
      },
      js: {
        'linked.mjs': '-> real/deep/main.mjs',
        'real/deep/main.mjs':
          'import { p } from "plain"; import { q } from "./part.mjs"; export default () => ({ output: [p, q, import.meta.url] });',
        'real/deep/part.mjs': 'export const q = 1;',
      },
      both: {
        'real/node_modules/plain/package.json': '{ "type": "module", "exports": "./i.js" }',
        'real/node_modules/plain/i.js': 'export const p = 9;',
      },
    },
    'a stack has the name of the file, whatever that has in it': {
      ts: {
        'main.mts':
          'import { fail } from "./a%23b%20%2525%C3%A9.mts"; export default () => ({ output: fail().split("\\n")[1] });',
        'a#b %25é.mts': 'interface T { t: 1 }\n\nexport function fail() { return new Error("x").stack; }',
      },
      js: {
        'main.mjs':
          'import { fail } from "./a%23b%20%2525%C3%A9.mjs"; import { fileURLToPath } from "node:url"; export default () => ({ output: fail().split("\\n")[1].replace(/file:.*mjs/, fileURLToPath) });',
        'a#b %25é.mjs': '\n\nexport function fail() { return new Error("x").stack; }',
      },
    },
    'JavaScript behind a link imports TypeScript from where it is': {
      ts: {
        'linked.mjs': '-> real/deep/main.mjs',
        'real/deep/main.mjs': 'import { a } from "../a.ts"; export default () => ({ output: a });',
        'real/a.ts': 'export const a: number = 1;',
      },
      js: {
        'linked.mjs': '-> real/deep/main.mjs',
        'real/deep/main.mjs': 'import { a } from "../a.mjs"; export default () => ({ output: a });',
        'real/a.mjs': 'export const a = 1;',
      },
    },
    'a shebang is no error': same(
      '#!/usr/bin/env -S npx tsx\nexport default () => ({ output: typeof import.meta.url });',
    ),
    'a shebang is no error in CommonJS': same(
      '#!/usr/bin/env -S npx tsx\nexports.default = () => ({ output: typeof require });',
      'main.cts',
      'main.cjs',
    ),
    'a byte order mark is no error': same('\uFEFFexport default () => ({ output: 1 });'),
  },
  CommonJS: {
    'a .cts file exports by name': {
      ts: {
        'main.ts':
          'import { a, b } from "./part.cts"; import all from "./part.cjs"; import * as ns from "./part.cts";\nexport default () => ({ output: [a, b, all, Object.keys(ns).filter((name) => name !== "module.exports").sort()] });',
        'part.cts': 'const a: number = 1; exports.a = a; exports.b = 2;',
      },
      js: {
        'main.mjs':
          'import { a, b } from "./part.cjs"; import all from "./part.cjs"; import * as ns from "./part.cjs";\nexport default () => ({ output: [a, b, all, Object.keys(ns).filter((name) => name !== "module.exports").sort()] });',
        'part.cjs': 'exports.a = 1; exports.b = 2;',
      },
    },
    'exports of another file are found by name': {
      ts: {
        'main.mts': 'import { a, b } from "./all.cts";\nexport default () => ({ output: [a, b] });',
        'all.cts': 'module.exports = { ...require("./part.cjs"), ...require("./other.cjs") };',
        'part.cts': 'exports.a = 1 as number;',
      },
      js: {
        'main.mjs': 'import { a, b } from "./all.cjs";\nexport default () => ({ output: [a, b] });',
        'all.cjs': 'module.exports = { ...require("./part.cjs"), ...require("./other.cjs") };',
        'part.cjs': 'exports.a = 1;',
      },
      both: { 'other.cjs': 'exports.b = 2;' },
    },
    'import x = require(), export = and require() in one file': {
      ts: {
        'main.cts':
          'import fs = require("node:fs"); const path = require("node:path");\nconst main = () => ({ output: [fs.existsSync(__filename), path.sep] });\nexport = main;',
      },
      js: {
        'main.cjs':
          'const fs = require("node:fs"); const path = require("node:path");\nmodule.exports = () => ({ output: [fs.existsSync(__filename), path.sep] });',
      },
    },
    'import x = require() in an ES module': {
      ts: {
        'main.mts':
          'import part = require("./part.cjs"); import fs = require("node:fs");\nexport default () => ({ output: [part.n, fs.existsSync("/"), import.meta.url] });',
        'part.cts': 'export const n = 1;',
      },
      js: {
        'main.mjs':
          'import { createRequire } from "node:module"; const require = createRequire(import.meta.url); const part = require("./part.cjs");\nexport default () => ({ output: [part.n, true, import.meta.url] });',
        'part.cjs': 'exports.n = 1;',
      },
    },
    'import x = require() after something else on its line': {
      ts: {
        'main.mts':
          '#!/usr/bin/env node\n/* one */ import fs = require("node:fs"); import path = require("node:path"); import type none = require("none");\nexport default () => ({ output: [fs.existsSync("/"), path.sep] });',
      },
      js: {
        'main.mjs':
          'import fs from "node:fs"; import path from "node:path";\nexport default () => ({ output: [fs.existsSync("/"), path.sep] });',
      },
    },
    'import x = require() in a comment makes no require': {
      ts: {
        'main.mts': '// import fs = require("node:fs");\nexport default () => ({ output: typeof require });',
      },
      js: { 'main.mjs': 'export default () => ({ output: typeof require });' },
    },
    'syntax of ES modules in a file of CommonJS': {
      ts: {
        'main.cts':
          'import { sep } from "node:path"; import part from "./part.cjs"; import type { X } from "./none";\nexport const other = 1; export default () => ({ output: [sep, part, typeof require, __dirname, typeof module.exports.other] });',
        'part.cts': 'export default 5;',
      },
      js: {
        'main.cjs':
          'exports.other = 1; exports.default = () => ({ output: ["/", 5, typeof require, __dirname, typeof module.exports.other] });',
      },
    },
    'syntax of ES modules means strict mode, and CommonJS without it does not': {
      ts: {
        'main.cts':
          '#!/usr/bin/env node\nimport part = require("./part.cjs"); import { same } from "./same";\nconst frozen = Object.freeze({ a: 1 });\nexport default () => { try { (frozen as { a: number }).a = 2; return { output: null }; } catch (error) { return { output: [String(error), /:(\\d+):/.exec((error as Error).stack ?? "")?.[1], part.isStrict, same] }; } };',
        'part.cts':
          'const isStrict = (function (this: unknown) { return this === undefined; })(); module.exports = { isStrict };',
        'same.ts': 'export const same = (function (this: unknown) { return this === undefined; })();',
        'tsconfig.json': '{ "compilerOptions": { "module": "commonjs" } }',
      },
      js: {
        'main.mjs':
          '#!/usr/bin/env node\nimport part from "./part.cjs"; import { same } from "./same.mjs";\nconst frozen = Object.freeze({ a: 1 });\nexport default () => { try { frozen.a = 2; return { output: null }; } catch (error) { return { output: [String(error), /:(\\d+):/.exec(error.stack ?? "")?.[1], part.isStrict, same] }; } };',
        'part.cjs':
          'const isStrict = (function () { return this === undefined; })(); module.exports = { isStrict };',
        'same.mjs': 'export const same = (function () { return this === undefined; })();',
      },
    },
    'a package of type commonjs has CommonJS in .ts': {
      ts: {
        'main.ts':
          'import { n } from "./part"; import * as path from "path";\nexport default () => ({ output: [n, path.sep, __filename, require("./data.json").d] });',
        'part/index.ts': 'export const n: number = 1;',
        'package.json': COMMONJS,
        'data.json': '{ "d": 1 }',
      },
      js: {
        'main.js':
          'const { n } = require("./part"); const path = require("path");\nexports.default = () => ({ output: [n, path.sep, __filename, require("./data.json").d] });',
        'part/index.js': 'exports.n = 1;',
        'package.json': COMMONJS,
        'data.json': '{ "d": 1 }',
      },
    },
    'a tsconfig.json with module commonjs makes CommonJS': {
      ts: {
        'main.ts':
          'import { n } from "./part"; export default () => ({ output: [n, typeof require, __dirname] });',
        'part.ts': 'export const n = 1;',
        'tsconfig.json': '{ "compilerOptions": { "module": "CommonJS" } }',
      },
      js: { 'main.cjs': 'exports.default = () => ({ output: [1, typeof require, __dirname] });' },
    },
    'a file without package.json that uses __dirname and require is CommonJS': {
      ts: {
        'main.ts':
          'import { sep } from "node:path"; export default () => ({ output: [sep, __dirname, require("node:path").sep] });',
      },
      js: { 'main.cjs': 'exports.default = () => ({ output: ["/", __dirname, "/"] });' },
    },
    'a file without package.json that asks for require is an ES module': {
      ts: {
        'main.ts':
          'export default () => ({ output: [typeof require, typeof module === "undefined" ? "none" : module.id] });',
      },
      js: { 'main.mjs': 'export default () => ({ output: [typeof require, "none"] });' },
    },
    'a file without any syntax of modules is CommonJS': {
      ts: {
        'main.ts':
          'const a: number = 1;\nmodule.exports = () => ({ output: [a, typeof require, this === module.exports] });',
      },
      js: {
        'main.cjs':
          'const a = 1;\nmodule.exports = () => ({ output: [a, typeof require, this === module.exports] });',
      },
    },
    'createRequire and require load TypeScript': {
      ts: {
        'main.mts':
          'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);\nexport default () => ({ output: [require("./part.cjs"), require("./part.cts") === require("./part"), require("./data.json")] });',
        'part.cts': 'export = { n: 1 };',
      },
      js: {
        'main.mjs':
          'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);\nexport default () => ({ output: [require("./part.cjs"), true, require("./data.json")] });',
        'part.cjs': 'module.exports = { n: 1 };',
      },
      both: { 'data.json': '[1]' },
    },
    'an ES module is required': {
      ts: {
        'main.cts':
          'const part = require("./part.mts"); module.exports = () => ({ output: [part.n, part.m, part.default, typeof part.then] });',
        'part.mts':
          'import { m } from "./deep.mjs"; export { m }; export const n: number = 1; export default 2;',
        'deep.mts': 'export const m = 3;',
      },
      js: {
        'main.cjs':
          'const part = require("./part.mjs"); module.exports = () => ({ output: [part.n, part.m, part.default, typeof part.then] });',
        'part.mjs': 'import { m } from "./deep.mjs"; export { m }; export const n = 1; export default 2;',
        'deep.mjs': 'export const m = 3;',
      },
    },
    'an ES module that was imported is the same when it is required': {
      ts: {
        'main.mts':
          'import { createRequire } from "node:module"; import * as part from "./part.mts"; const require = createRequire(import.meta.url);\nexport default () => ({ output: require("./part.mts").o === part.o });',
        'part.mts': 'import "./deep.mts"; export const o = {};',
        'deep.mts': 'export {};',
      },
      js: { 'main.mjs': 'export default () => ({ output: true });' },
    },
    'an ES module with top-level await can not be required': {
      ts: {
        'main.cts':
          'module.exports = () => { try { require("./part.mts"); return { output: null }; } catch (error) { return { output: (error as { code: string }).code }; } };',
        'part.mts': 'await 1; export {};',
      },
      js: {
        'main.cjs':
          'module.exports = () => { try { require("./part.mjs"); return { output: null }; } catch (error) { return { output: error.code }; } };',
        'part.mjs': 'await 1; export {};',
      },
    },
    'import of a .cjs file has its module.exports, also with __esModule': {
      ...same(
        'import part from "./part.cjs"; import { n } from "./part.cjs";\nexport default () => ({ output: [part, n] });',
      ),
      both: {
        'part.cjs':
          'Object.defineProperty(exports, "__esModule", { value: true }); exports.default = 1; exports.n = 2;',
      },
    },
    'circular requires see what is there': {
      ts: {
        'main.cts':
          'exports.early = 1; const part = require("./part.cjs"); exports.default = () => ({ output: part.seen });',
        'part.cts': 'const main = require("./main.cjs"); exports.seen = { ...main };',
      },
      js: {
        'main.cjs':
          'exports.early = 1; const part = require("./part.cjs"); exports.default = () => ({ output: part.seen });',
        'part.cjs': 'const main = require("./main.cjs"); exports.seen = { ...main };',
      },
    },
    'what a CommonJS module throws is what the import throws': {
      ts: {
        'main.mts': 'import "./part.cts";',
        'part.cts': 'throw Object.assign(new RangeError("broken"), { code: "E_PART" });',
      },
      js: {
        // Node 20 ends a process in which imported CommonJS throws.
        'main.mjs': 'throw Object.assign(new RangeError("broken"), { code: "E_PART" });',
      },
    },
  },
  'what is imported': {
    './x.js means ./x.ts': {
      ts: {
        'main.ts':
          'import { a } from "./a.js"; import { b } from "./b.mjs"; import { c } from "./c.cjs"; import { d } from "./d.jsx";\nexport default () => ({ output: [a, b, c, d] });',
        'a.ts': 'export const a = 1;',
        'b.mts': 'export const b = 2;',
        'c.cts': 'export const c = 3;',
        'd.tsx': 'export const d = 4;',
      },
      js: { 'main.mjs': 'export default () => ({ output: [1, 2, 3, 4] });' },
    },
    './x.js means ./x.js where there is no ./x.ts': {
      ...same('import { a } from "./a.js";\nexport default () => ({ output: a });'),
      both: { 'a.js': 'exports.a = 1;' },
    },
    'extensions and index files may be left out': {
      ts: {
        'main.ts':
          'import { a } from "./a"; import { b } from "./b"; import { c } from "./c"; import { up } from "./b/up";\nexport default () => ({ output: [a, b, c, up] });',
        'a.ts': 'export const a = 1;',
        'b/index.ts': 'export const b = 2;',
        'b/up.ts': 'export { a as up } from "..";',
        'index.ts': 'export { a } from "./a";',
        'c.mjs': '',
        'c.js': 'export const c = 3;',
        'package.json': MODULE,
      },
      js: { 'main.mjs': 'export default () => ({ output: [1, 2, 3, 1] });' },
    },
    'a folder is what ends as one, also where a file has its name': {
      ts: {
        'src/foo/main.mts':
          'import { n } from "."; import { n as m } from "./"; import { n as up } from ".."; import { createRequire } from "node:module"; const require = createRequire(import.meta.url);\nexport default () => ({ output: [n, m, up, ...[".", "./", "..", "../", "../foo/", "../foo"].map((name) => require(name).n)] });',
        'src/foo/index.ts': 'exports.n = "folder";',
        'src/foo.ts': 'exports.n = "file";',
        'src/index.ts': 'exports.n = "above";',
        'src.ts': 'exports.n = "file above";',
      },
      js: {
        'src/foo/main.mjs':
          'import { n } from "./index.js"; import { n as m } from "./index.js"; import { n as up } from "../index.js"; import { createRequire } from "node:module"; const require = createRequire(import.meta.url);\nexport default () => ({ output: [n, m, up, ...[".", "./", "..", "../", "../foo/", "../foo"].map((name) => require(name).n)] });',
        'src/foo/index.js': 'exports.n = "folder";',
        'src/foo.js': 'exports.n = "file";',
        'src/index.js': 'exports.n = "above";',
        'src.js': 'exports.n = "file above";',
      },
    },
    'a folder has the main file of its package.json': {
      ts: {
        'main.cts':
          'module.exports = () => ({ output: ["./a", "./b", "./c", "./d"].map((name) => require(name).n) });',
        'a/real.ts': 'exports.n = 1;',
        'c/index.ts': 'exports.n = 3;',
      },
      js: {
        'main.cjs':
          'module.exports = () => ({ output: ["./a", "./b", "./c", "./d"].map((name) => require(name).n) });',
        'a/real.js': 'exports.n = 1;',
        'c/index.js': 'exports.n = 3;',
      },
      both: {
        'a/package.json': '{ "main": "real" }',
        'a/index.js': '',
        'b/package.json': '{ "main": "./lib" }',
        'b/lib/index.js': 'exports.n = 2;',
        'b/index.js': '',
        'c/package.json': '{ "main": "." }',
        'd.json': '{ "n": 4 }',
        'd/index.js': '',
      },
    },
    'a built-in module is never hidden by baseUrl': {
      ...same(
        'import { sep } from "path"; import { createRequire } from "node:module";\nexport default () => ({ output: [sep, createRequire(import.meta.url)("path").sep] });',
      ),
      both: {
        'path.ts': 'export const sep = "own";',
        'tsconfig.json': '{ "compilerOptions": { "baseUrl": "." } }',
      },
    },
    'paths to declarations are for types alone': {
      ...same('import { p } from "plain"; export default () => ({ output: p });'),
      both: {
        'types/plain.d.ts': 'export const p: number;',
        'tsconfig.json': '{ "compilerOptions": { "paths": { "plain": ["./types/plain.d.ts"] } } }',
        'node_modules/plain/package.json': '{ "type": "module", "exports": "./i.js" }',
        'node_modules/plain/i.js': 'export const p = 9;',
      },
    },
    'a computed import is found': {
      ts: {
        'main.mts':
          'export default async () => { const out = []; for (const name of ["a", "b"]) out.push((await import(`./plugins/${name}.mts`)).default, (await import("./plugins/" + name + ".mjs")).default); return { output: out }; };',
        'plugins/a.mts': 'export default 1 as number;',
        'plugins/b.mts': 'import { c } from "./c.mts"; export default c;',
        'plugins/c.mts': 'export const c: number = 2;',
      },
      js: { 'main.mjs': 'export default () => ({ output: [1, 1, 2, 2] });' },
    },
    'top-level await is waited for': {
      ts: {
        'main.ts': 'const { a } = await import("./a.ts"); export default () => ({ output: a });',
        'a.ts': 'export const a: number = await Promise.resolve(1);',
      },
      js: { 'main.mjs': 'export default () => ({ output: 1 });' },
    },
    'JSON is imported with its type': {
      ...same(
        'import data from "./data.json" with { type: "json" };\nexport default async () => ({ output: [data, (await import("./data.json", { with: { type: "json" } })).default === data] });',
      ),
      both: { 'data.json': '{ "a": 1 }' },
    },
    'JSON without its type is refused': {
      ...same('import data from "./data.json";\nexport default () => ({ output: data });'),
      both: { 'data.json': '{}' },
    },
    'paths and baseUrl of tsconfig.json are followed': {
      ts: {
        'src/main.ts':
          'import { a } from "@lib/a"; import { b } from "@lib/b.js"; import { c } from "shared/c"; import { sep } from "path";\nexport default () => ({ output: [a, b, c, sep] });',
        'lib/a.ts': 'export const a = 1;',
        'lib/b.ts': 'export const b = 2;',
        'shared/c.ts': 'export const c = 3;',
        'tsconfig.json':
          '{ "compilerOptions": { "baseUrl": ".", "paths": { "@lib/*": ["./none/*", "./lib/*"] } } }',
      },
      js: { 'main.mjs': 'export default () => ({ output: [1, 2, 3, "/"] });' },
    },
    'paths are followed by require': {
      ts: {
        'main.cts':
          'const { a } = require("@lib/a"); module.exports = () => ({ output: [a, require.resolve("@lib/a")] });',
        'lib/a.ts': 'exports.a = 1;',
        'tsconfig.json': '{ "compilerOptions": { "paths": { "@lib/*": ["./lib/*"] } } }',
      },
      js: {
        'main.cjs':
          'const { a } = require("./lib/a"); module.exports = () => ({ output: [a, require.resolve("./lib/a")] });',
        'lib/a.js': 'exports.a = 1;',
      },
    },
    'exports and imports of package.json are followed': {
      ts: {
        'main.ts':
          'import { a } from "#internal/a"; import { self } from "own/self"; import { p } from "pkg/sub"; import { createRequire } from "node:module";\nexport default () => ({ output: [a, self, p, createRequire(import.meta.url)("pkg/sub").p] });',
        'src/a.ts': 'export const a = 1;',
        'src/self.ts': 'export const self = 2;',
        'package.json':
          '{ "name": "own", "type": "module", "imports": { "#internal/*": "./src/*.ts" }, "exports": { "./self": "./src/self.ts" } }',
      },
      js: {
        'main.js':
          'import { a } from "#internal/a"; import { self } from "own/self"; import { p } from "pkg/sub"; import { createRequire } from "node:module";\nexport default () => ({ output: [a, self, p, createRequire(import.meta.url)("pkg/sub").p] });',
        'src/a.js': 'export const a = 1;',
        'src/self.js': 'export const self = 2;',
        'package.json':
          '{ "name": "own", "type": "module", "imports": { "#internal/*": "./src/*.js" }, "exports": { "./self": "./src/self.js" } }',
      },
      both: {
        'node_modules/pkg/package.json':
          '{ "exports": { "./sub": { "import": "./sub.mjs", "require": "./sub.cjs" } } }',
        'node_modules/pkg/sub.mjs': 'export const p = "import";',
        'node_modules/pkg/sub.cjs': 'exports.p = "require";',
      },
    },
    'a package of the workspace may be TypeScript': {
      ts: {
        'app/main.ts':
          'import { n } from "@acme/util"; import { c } from "@acme/old"; export default () => ({ output: [n(), c] });',
        'packages/util/src/index.ts':
          'import { deep } from "./deep.js"; export const n = (): number => deep;',
        'packages/util/src/deep.ts': 'export const deep = 1;',
        'packages/util/package.json':
          '{ "name": "@acme/util", "type": "module", "exports": { "import": "./src/index.ts" } }',
        'packages/old/package.json': '{ "name": "@acme/old", "main": "index.ts" }',
        'packages/old/index.ts':
          'import fs = require("fs"); const c: boolean = fs.existsSync("/"); export = { c };',
      },
      js: { 'app/main.mjs': 'export default () => ({ output: [1, true] });' },
      both: {
        'node_modules/@acme/util': '-> ../../packages/util',
        'node_modules/@acme/old': '-> ../../packages/old',
      },
    },
    'circular imports see each other': {
      ts: {
        'main.mts':
          'import { b } from "./b.mts"; export const a = (): number => 1; export default () => ({ output: b() });',
        'b.mts': 'import { a } from "./main.mts"; export const b = (): number => a() + 1;',
      },
      js: {
        'main.mjs':
          'import { b } from "./b.mjs"; export const a = () => 1; export default () => ({ output: b() });',
        'b.mjs': 'import { a } from "./main.mjs"; export const b = () => a() + 1;',
      },
    },
    'exports are bindings that change': {
      ts: {
        'main.mts':
          'import { n, add } from "./n.mts"; export default () => { add(); return { output: n }; };',
        'n.mts': 'export let n = 0; export const add = (): void => { n += 1; };',
      },
      js: {
        'main.mjs':
          'import { n, add } from "./n.mjs"; export default () => { add(); return { output: n }; };',
        'n.mjs': 'export let n = 0; export const add = () => { n += 1; };',
      },
    },
    'JavaScript imports TypeScript, which imports JavaScript': {
      ts: {
        'main.mjs': 'import { a } from "./a.ts"; export default () => ({ output: a });',
        'a.ts': 'import { b } from "./b.mjs"; export const a: number = b + 1;',
        'b.mjs': 'import c from "./c.cjs"; export const b = c.c + 1;',
        'c.cjs': 'exports.c = require("./d.ts").d + 1;',
        'd.ts': 'const d: number = 1; exports.d = d;',
      },
      js: { 'main.mjs': 'export default () => ({ output: 4 });' },
    },
    'a WASM module is instantiated': same(
      'const bytes = Uint8Array.from(atob("AGFzbQEAAAABBwFgAn9/AX8DAgEABwcBA2FkZAAACgkBBwAgACABags="), (c) => c.charCodeAt(0));\nexport default async () => { const { instance } = await WebAssembly.instantiate(bytes); return { output: (instance.exports["add"] as any)(1, 2) }; };'.replace(
        ' as any',
        '',
      ),
    ),
    'worker threads run code that they are given': same(
      'import { Worker } from "node:worker_threads"; import { once } from "node:events";\nexport default async () => { const w = new Worker(new URL("./w.mjs", import.meta.url)); const [m] = await once(w, "message"); await w.terminate(); return { output: m }; };',
    ),
  },
  'what is not there': {
    'a missing package is missing from the file that imports it': {
      ts: {
        'main.mts': 'import "./part.mts";',
        'part.mts': 'import { x } from "not-there"; export const y = x;',
      },
      js: {
        'main.mjs': 'import "./part.mjs";',
        'part.mjs': 'import { x } from "not-there"; export const y = x;',
      },
    },
    'a missing file is missing from the file that imports it': {
      ts: { 'main.mts': 'import { x } from "./gone.mjs"; export default x;' },
      js: { 'main.mjs': 'import { x } from "./gone.mjs"; export default x;' },
    },
    'a missing export is an error': {
      ts: {
        'main.mts': 'import { x } from "./part.mts"; export default () => ({ output: x });',
        'part.mts': 'export const y = 1;',
      },
      js: {
        'main.mjs': 'import { x } from "./part.mjs"; export default () => ({ output: x });',
        'part.mjs': 'export const y = 1;',
      },
    },
    'require does not exist in an ES module': same('export default () => ({ output: require("node:fs") });'),
    'an internal path of a package is refused': {
      ...same('import "pkg/internal.js"; export default () => ({ output: 1 });'),
      both: {
        'node_modules/pkg/package.json': '{ "exports": { ".": "./i.js" } }',
        'node_modules/pkg/internal.js': '',
      },
    },
  },
};

for (const [group, ways] of Object.entries(WAYS)) {
  describe(group, () => {
    test.each(Object.entries(ways))('%s', async (_, twins) => {
      const [ts, js] = await endingsOf(withWorker(twins), threads);
      expect(ts).toEqual(js);
    });
  });
}

/** The one case whose worker is JavaScript in both. */
function withWorker(twins: Twins): Twins {
  return {
    ...twins,
    both: {
      'w.mjs': 'import { parentPort } from "node:worker_threads"; parentPort.postMessage("hello");',
      ...twins.both,
    },
  };
}

describe('in a process of its own', () => {
  test.each([
    ['ES modules', 'where a module is', 'import.meta says it'],
    ['CommonJS', 'CommonJS', 'import x = require(), export = and require() in one file'],
    ['a computed import', 'what is imported', 'a computed import is found'],
    ['an ES module that is required', 'CommonJS', 'an ES module is required'],
  ])('%s behave the same', async (_, group, way) => {
    const twins = WAYS[group]?.[way];
    if (twins === undefined) throw new Error(`there is no ${way}`);
    const [ts, js] = await endingsOf(twins, processes);
    expect(ts).toEqual(js);
  });
});
