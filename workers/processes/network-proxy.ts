/** An HTTP proxy at a Unix socket that leads to listed hosts only: the one way out of a network namespace. */
import { rmSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import type { Duplex } from 'node:stream';

/** Ports of an entry that names none: those of HTTP and HTTPS. */
const USUAL_PORTS = [80, 443];

/** Whether one of these entries (`host`, `*.host`, each perhaps with `:port`) names the host and port. */
export function isListed(hosts: readonly string[], host: string, port: number): boolean {
  const name = host.toLowerCase().replace(/\.$/, '');
  return hosts.some((entry) => {
    const [listed = '', ofEntry] = entry.toLowerCase().split(':');
    const ports = ofEntry === undefined ? USUAL_PORTS : [Number(ofEntry)];
    if (!ports.includes(port)) return false;
    return listed.startsWith('*.') ? name.endsWith(listed.slice(1)) : name === listed;
  });
}

export interface NetworkProxy {
  /** Absolute path of the socket, in a folder of its own. */
  socket: string;
  /** Ends all connections. Idempotent. */
  close(): void;
}

/**
 * @param hosts as a definition lists them.
 * @param makeFolder makes the folder for the socket, which is removed when it is closed.
 * @param onRefused called with `host:port` for each that is not listed.
 */
export async function startProxy(
  hosts: readonly string[],
  makeFolder: () => string,
  onRefused: (target: string) => void,
): Promise<NetworkProxy> {
  const open = new Set<Duplex>();
  const keep = <Stream extends Duplex>(stream: Stream): Stream => {
    open.add(stream);
    stream.once('close', () => open.delete(stream));
    // `close` follows; what was cut off is known to the program at its end of the connection.
    stream.on('error', () => stream.destroy());
    return stream;
  };
  const mayReach = (target: ProxyTarget | null): target is ProxyTarget => {
    if (target !== null && isListed(hosts, target.host, target.port)) return true;
    onRefused(target === null ? 'what is no host' : `${target.host}:${target.port}`);
    return false;
  };
  const server = createServer((asked, answer) => {
    const target = targetOfUrl(asked.url);
    if (mayReach(target)) forward(asked, answer, target);
    else refuse(answer);
  });
  server.on('connection', keep);
  server.on('connect', ({ url }, client, head) => {
    const target = targetOfAuthority(url);
    if (!mayReach(target)) return client.end(`HTTP/1.1 403 Forbidden\r\n\r\n${REFUSED}`);
    return tunnel(keep(connect(target.port, target.host)), client, head);
  });
  const socket = join(makeFolder(), 'proxy');
  await listening(server, socket);
  return {
    socket,
    close: () => {
      server.close();
      for (const stream of open) stream.destroy();
      rmSync(dirname(socket), { recursive: true, force: true });
    },
  };
}

const REFUSED = 'This host is not in the list `network` of the workstream.\n';

interface ProxyTarget {
  host: string;
  port: number;
}

/** Of `CONNECT host:port`. */
function targetOfAuthority(authority = ''): ProxyTarget | null {
  const [, name = '', port = ''] = /^(\[[^\]]+\]|[^:]+):(\d{1,5})$/.exec(authority) ?? [];
  return name === '' ? null : { host: name.replaceAll(/[[\]]/g, ''), port: Number(port) };
}

/** Of a request for a whole URL, as a proxy gets it without TLS. */
function targetOfUrl(url = ''): ProxyTarget | null {
  if (!URL.canParse(url)) return null;
  const { protocol, hostname, port } = new URL(url);
  return protocol === 'http:' ? { host: hostname, port: port === '' ? 80 : Number(port) } : null;
}

function forward(asked: IncomingMessage, answer: ServerResponse, { host, port }: ProxyTarget): void {
  const { pathname, search } = new URL(asked.url ?? '');
  const { 'proxy-connection': _hop, 'proxy-authorization': _login, ...rest } = asked.headers;
  // That of the URL decides where it goes, and has to be the one that the server is told.
  const headers = { ...rest, host: port === 80 ? host : `${host}:${port}` };
  const onward = request({ host, port, method: asked.method, path: pathname + search, headers });
  onward.on('response', (got) => {
    answer.writeHead(got.statusCode ?? 502, got.headers);
    got.pipe(answer);
  });
  onward.on('error', (error) =>
    answer.headersSent ? answer.destroy() : answer.writeHead(502).end(error.message),
  );
  answer.on('close', () => onward.destroy());
  asked.pipe(onward);
}

function refuse(answer: ServerResponse): void {
  answer.writeHead(403, { 'content-type': 'text/plain' }).end(REFUSED);
}

function tunnel(server: Socket, client: Duplex, head: Buffer): void {
  server.once('connect', () => {
    client.write('HTTP/1.1 200 Connection established\r\n\r\n');
    if (head.length > 0) server.write(head);
    server.pipe(client);
    client.pipe(server);
  });
  client.on('close', () => server.destroy());
  server.on('close', () => client.end());
}

function listening(server: Server, socket: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(socket, () => resolve());
  });
}
