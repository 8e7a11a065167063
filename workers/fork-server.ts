/**
 * The entry of a small process that starts commands for the threads of a run. A process is copied when it starts
 * another one, and the more memory it has the longer that takes: a fraction of a millisecond here, several in a run with
 * a large plan.
 *
 * Its one argument is the path of the socket to listen at. It ends when its standard input is closed, which happens too
 * when the run's process dies.
 */
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { Launches } from './processes/launches.ts';

const [, , path = ''] = process.argv;

const server = createServer((socket) => new Launches(socket));
// Without a socket it is of no use: threads start their commands themselves.
server.on('error', () => process.exit(1));
server.listen(path);

process.stdin.on('end', () => {
  rmSync(dirname(path), { recursive: true, force: true });
  process.exit(0);
});
process.stdin.resume();
