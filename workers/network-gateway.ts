/**
 * The entry of a small process in a network namespace: `network-gateway SOCKET PROGRAM ARGUMENT...` runs the program,
 * and takes what it sends to the HTTP proxy of its environment to the one at SOCKET. It ends as the program does.
 */
import { spawn } from 'node:child_process';
import { connect, createServer } from 'node:net';
import { constants } from 'node:os';

/** A program could not be started, as shells say it. */
const NOT_FOUND = 127;

const [, , socket = '', file = '', ...args] = process.argv;

// The program is sent it too, and decides; SIGKILL follows after the grace.
process.on('SIGTERM', () => undefined);

const server = createServer((from) => {
  const to = connect(socket);
  from.on('error', () => to.destroy());
  to.on('error', () => from.destroy());
  from.pipe(to).pipe(from);
});

// Loopback of this namespace: nothing else listens there.
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const proxy = `http://127.0.0.1:${port}`;
  const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'].flatMap((name) => [name, name.toLowerCase()]);
  const own = Object.fromEntries(names.map((name) => [name, proxy]));
  const local = { NO_PROXY: 'localhost,127.0.0.1', no_proxy: 'localhost,127.0.0.1' };
  const child = spawn(file, args, {
    stdio: 'inherit',
    // From Node 24 on fetch uses the proxy where this is set.
    env: { ...process.env, ...own, ...local, NODE_USE_ENV_PROXY: '1' },
  });
  child.on('error', (error) => {
    process.stderr.write(
      `sh: ${file}: ${'code' in error && error.code === 'ENOENT' ? 'not found' : error.message}\n`,
    );
    process.exit(NOT_FOUND);
  });
  child.on('exit', (code, signal) =>
    process.exit(code ?? 128 + (signal === null ? 0 : constants.signals[signal])),
  );
});
