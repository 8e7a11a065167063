/** Reads the files in which Aider keeps what its model said and took. */
import { readRegular } from '../../src/support/regular-file.ts';
import { amountAt, countAt } from './count-at.ts';
import { jsonLine, objectAt, textAt } from './json-line.ts';

const MOST_BYTES = 256 * 1024 * 1024;

/** What an analytics log says of one run. */
export interface AiderLog {
  model: string | null;
  /** How many times a model answered. */
  answers: number;
  /** Whether the last message got an answer. */
  lastAnswered: boolean;
  /** What kept the last message from being answered; null where nothing is known of such a thing. */
  exception: string | null;
  promptTokens: number | null;
  completionTokens: number | null;
  /** US dollars, of all messages. */
  totalCost: number | null;
  /** Whether it came to its own end. */
  ended: boolean;
}

/** Null where there is no such file; lines that are no events are passed over. */
export function readAiderLog(path: string): AiderLog | null {
  const text = read(path);
  if (text === null) return null;
  const log: AiderLog = {
    model: null,
    answers: 0,
    lastAnswered: false,
    exception: null,
    promptTokens: null,
    completionTokens: null,
    totalCost: null,
    ended: false,
  };
  for (const line of text.split('\n')) addEvent(log, line);
  return log;
}

function addEvent(log: AiderLog, line: string): void {
  const event = jsonLine(line);
  const properties = event === null ? null : objectAt(event, 'properties');
  if (event === null || properties === null) return;
  log.model = textAt(properties, 'main_model') ?? log.model;
  switch (textAt(event, 'event') ?? '') {
    case 'message_send': {
      const prompt = countAt(properties, 'prompt_tokens') ?? 0;
      const completion = countAt(properties, 'completion_tokens') ?? 0;
      const before = (log.promptTokens ?? 0) + (log.completionTokens ?? 0);
      // After a message that failed the usage of the one before is reported again, without tokens. Where none was
      // ever counted, the model is one whose tokens it can't count.
      log.lastAnswered = prompt + completion > 0 || before === 0;
      if (log.lastAnswered) {
        log.answers += 1;
        log.exception = null;
      }
      log.promptTokens = (log.promptTokens ?? 0) + prompt;
      log.completionTokens = (log.completionTokens ?? 0) + completion;
      log.totalCost = amountAt(properties, 'total_cost') ?? log.totalCost;
      break;
    }
    case 'message_send_exception':
      log.lastAnswered = false;
      log.exception = textAt(properties, 'exception') ?? 'the message could not be sent';
      break;
    case 'exit':
      log.ended = true;
      break;
    default:
  }
}

/** The last answer in a history of what was said to and by the model; empty where there is none. */
export function readLastAnswer(path: string): string {
  const lines = (read(path) ?? '').split('\n');
  const start = lines.findLastIndex((line) => /^LLM RESPONSE \d{4}-/.test(line));
  if (start < 0) return '';
  const answer: string[] = [];
  for (const line of lines.slice(start + 1)) {
    if (!/^ASSISTANT(?: |$)/.test(line)) break;
    answer.push(line.slice('ASSISTANT '.length));
  }
  return answer.join('\n').trim();
}

function read(path: string): string | null {
  try {
    return readRegular(path, MOST_BYTES).toString();
  } catch {
    // It is written when there is something to tell; what can't be read tells nothing.
    return null;
  }
}
