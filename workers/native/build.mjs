/**
 * The last step of the build: compiles the native command host where there is a C compiler. Without one, commands are
 * started by the host for Node, so this never fails.
 */
import { copyFileSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildNativeHost } from '../../dist/src/engine/native-host.js';

const source = fileURLToPath(new URL('command-host.c', import.meta.url));
const folder = fileURLToPath(new URL('../../dist/workers/native/', import.meta.url));
mkdirSync(folder, { recursive: true });
copyFileSync(source, `${folder}command-host.c`);
const failure = process.platform === 'linux' ? await buildNativeHost() : 'it is for Linux only';
if (failure !== null) console.warn(`The native command host was not compiled: ${failure.split('\n')[0]}`);
