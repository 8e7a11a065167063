/** A client of server-sent events over HTTP. */
import { onTestFinished } from 'vitest';

/** An event, with the cursor after it. */
export interface StreamedEvent {
  event: string;
  id: string;
  data: unknown;
}

/** Follows a stream, which is closed when the test ends. */
export async function followStream(
  address: string,
  headers: Record<string, string>,
): Promise<{ until: (isIt: (event: StreamedEvent) => boolean) => Promise<StreamedEvent> }> {
  const closing = new AbortController();
  onTestFinished(() => closing.abort());
  const { body } = await fetch(address, { headers, signal: closing.signal });
  const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
  let id = '';
  let rest = '';
  const waiting: StreamedEvent[] = [];
  const take = (text: string): void => {
    const parts = `${rest}${text}`.split('\n\n');
    rest = parts.pop() ?? '';
    for (const part of parts) {
      const [, newId, event, data = '{}'] = /^(?:id: (.*)\n)?event: (.*)\ndata: (.*)$/.exec(part) ?? [];
      if (event === undefined) continue;
      id = newId ?? id;
      waiting.push({ event, id, data: JSON.parse(data) });
    }
  };
  return {
    until: async (isIt) => {
      for (;;) {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
          if (isIt(next)) return next;
        const read = await reader?.read();
        if (read?.done !== false) throw new Error('the stream ended before the event');
        take(read.value);
      }
    },
  };
}
