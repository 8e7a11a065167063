/**
 * The entry of a small process that starts commands for the threads of a run, where there is no native one
 * (workers/native/command-host.c). A process is copied when it starts another one, and the more memory it has the longer
 * that takes: a fraction of a millisecond here, several in a run with a large plan.
 *
 * Its one argument is the path of the socket to listen at. It ends when its standard input is closed, which happens too
 * when the run's process dies: then it ends what it has started.
 */
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { Launches } from './processes/launches.ts';

const [, , path = ''] = process.argv;
const connections: Launches[] = [];
let isEnding = false;

// Groups that are gone are found by an error, many times a second.
Error.stackTraceLimit = 0;

const server = createServer((socket) => connections.push(new Launches(socket, end)));
// Without a socket it is of no use: threads start their commands themselves.
server.on('error', () => process.exit(1));
server.listen(path);

process.stdin.on('end', end);
process.stdin.resume();

function end(): void {
  if (isEnding) return;
  isEnding = true;
  server.close();
  void Promise.all(connections.map((each) => each.end())).then(() => {
    rmSync(dirname(path), { recursive: true, force: true });
    process.exit(0);
  });
}
