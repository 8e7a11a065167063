/** A model on loopback that says what a test tells it to. What it speaks is a dialect, one for each vendor. */
import { createServer, type ServerResponse } from 'node:http';
import { onTestFinished } from 'vitest';
import { isObject, type JsonObject } from '../../src/domain/json.ts';
import { jsonLine } from '../../workers/tools/json-line.ts';

/** An answer of the model: text, then calls of the agent's tools. */
export interface Answer {
  say?: string;
  call?: { tool: string; input: JsonObject };
  /** The second half of the answer is sent when this is fulfilled; at once without it. */
  until?: Promise<void>;
  /** The connection is cut in the middle, when `until` is fulfilled. */
  cut?: boolean;
}

/** An answer of the server in the model's place. */
interface Refusal {
  status: number;
  type: string;
  message: string;
  /** Further fields of the error. */
  more?: JsonObject;
  headers?: Record<string, string>;
}

export type Reply = Answer | Refusal | 'silence';

export interface Dialect {
  /** Path of the requests for an answer; others get status 404. */
  path: string;
  /** Whether each such request is for a stream; without it the request says so itself. */
  streams?: true;
  /** The server-sent events of an answer in two halves, the number of the request in the ids. */
  events(answer: Answer, number: number): [string, string];
  refusal(refusal: Refusal): JsonObject;
}

export interface ModelServer {
  /** `http://127.0.0.1:PORT` */
  address: string;
  /** What was asked so far, oldest first. */
  requests: JsonObject[];
  /** Resolves when the request of this number, from 1, has come. */
  asked(number: number): Promise<void>;
}

/**
 * Starts a server that answers each request with the next reply; the last one is given
 * again and again. It is closed when the test ends.
 */
export async function modelServer(dialect: Dialect, script: [Reply, ...Reply[]]): Promise<ModelServer> {
  const requests: JsonObject[] = [];
  const waiting: (() => void)[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      const asked = jsonLine(body);
      if (request.method !== 'POST' || !request.url?.startsWith(dialect.path) || asked === null) {
        response.writeHead(404).end();
        return;
      }
      requests.push(asked);
      for (const check of waiting) check();
      const reply = script[Math.min(requests.length, script.length) - 1] ?? script[0];
      void answer(dialect, reply, requests.length, asked, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  const at = server.address();
  if (at === null || typeof at === 'string') throw new Error('the server has no port');
  return {
    address: `http://127.0.0.1:${at.port}`,
    requests,
    asked: (number) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (requests.length >= number) resolve();
        };
        waiting.push(check);
        check();
      }),
  };
}

async function answer(
  dialect: Dialect,
  reply: Reply,
  number: number,
  asked: JsonObject,
  response: ServerResponse,
): Promise<void> {
  if (reply === 'silence') return;
  if ('status' in reply) {
    response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers });
    const body = dialect.refusal(reply);
    const error = isObject(body['error']) ? { ...body['error'], ...reply.more } : body['error'];
    response.end(JSON.stringify({ ...body, ...(error === undefined ? {} : { error }) }));
    return;
  }
  if (dialect.streams !== true && asked['stream'] !== true) {
    // An agent asks so again after a stream that failed; one that was cut is cut again.
    response.destroy();
    return;
  }
  const [first, second] = dialect.events(reply, number);
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  await new Promise<void>((resolve) => response.write(first, () => resolve()));
  await reply.until;
  if (reply.cut === true) response.destroy();
  else response.end(second);
}

/** One server-sent event, its type also its name. */
export function serverSentEvent(data: JsonObject & { type: string }): string {
  return `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
}
