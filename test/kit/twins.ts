/** A project in TypeScript and its twin in JavaScript: one is executed by an agent, the other by plain Node. */
import { execFile } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Engine } from '../../src/domain/engine.ts';
import { assignment, moduleStep, workstream } from './definitions.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** The text of each file by its path. One that begins with `-> ` is a link to what follows. */
type Files = Record<string, string>;

export interface Twins {
  /** With the module of the step first. */
  ts: Files;
  /** The same in JavaScript: as a person would write it by hand, with the module of the step first. */
  js: Files;
  /** What both have. */
  both?: Files;
}

/** What a module returned as its output, or how it failed. Places of files are the same for both. */
export type Ending = { output: unknown } | { error: string };

function writeFiles(folder: string, files: Files): void {
  for (const [path, text] of Object.entries(files)) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    if (text.startsWith('-> ')) symlinkSync(text.slice(3), file);
    else writeFileSync(file, text);
  }
}

const mainOf = (files: Files): string => {
  const [main] = Object.keys(files);
  if (main === undefined) throw new Error('a project without files');
  return main;
};

/** Executes both projects. */
export async function endingsOf({ ts, js, both = {} }: Twins, engine: Engine): Promise<[Ending, Ending]> {
  const folder = temporaryFolder();
  const [typed, plain] = [join(folder, 'ts'), join(folder, 'js')];
  writeFiles(typed, { ...ts, ...both });
  writeFiles(plain, { ...js, ...both });
  return [
    comparable(await inAgent(join(typed, mainOf(ts)), engine), typed),
    comparable(await underNode(join(plain, mainOf(js))), plain),
  ];
}

/** Executes one module, in an agent. */
async function inAgent(module: string, engine: Engine): Promise<Ending> {
  const given = assignment(temporaryFolder(), workstream('ws-a', [moduleStep(module)]));
  const { failure, output } = await engine.execute(given, {
    signal: new AbortController().signal,
    onMessage: () => undefined,
  });
  if (failure === null) return { output: JSON.parse(output ?? 'null') };
  const thrown = 'thrown' in failure ? failure.thrown : null;
  return { error: thrown === null ? JSON.stringify(failure) : textOf(thrown) };
}

const runner = fileURLToPath(new URL('run-module.mjs', import.meta.url));

async function underNode(module: string): Promise<Ending> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--no-warnings', runner, module]);
  return JSON.parse(stdout);
}

const textOf = ({
  name,
  code,
  message,
}: {
  name: string;
  code?: string | undefined;
  message: string;
}): string => [name, code, message].filter(Boolean).join(' ');

/** Without the folder of the project, and as if every file were JavaScript. */
function comparable(ending: Ending, folder: string): Ending {
  const text = JSON.stringify(ending)
    .replaceAll(folder, '')
    .replaceAll(/\.[cm]?tsx?\b/g, '.js')
    .replaceAll(/\.[cm]js\b/g, '.js');
  return JSON.parse(text);
}
