/** What identifies an error: its reason, and the shape of what tells what went wrong. */
import { createHash } from 'node:crypto';
import { outputTells } from '../../domain/failure.ts';
import { headOfMessage } from './message-line.ts';
import { essenceOf, shapeOf } from './shape.ts';
import { tellingLine } from './telling-line.ts';

/** What is known of an error. */
export interface ErrorText {
  /** The failure's reason. */
  type: string;
  message: string;
  /** The last of what a failed command printed; null where it printed nothing, or there was none. */
  tail: string | null;
}

/**
 * Version of the rules by which shapes are made and merged. A higher one makes the shapes of stored errors anew, when a
 * database is opened for writing.
 */
const RULES = 2;

/** Ids of shapes of this version are in this range, its end excluded. */
export const SHAPE_IDS = { from: `${RULES}-`, to: `${RULES}.` } as const;

/** The line of the output that tells, or the message, where that says more than how a command ended. */
function tellingText({ type, message, tail }: ErrorText): string {
  const line = tail !== null && outputTells(type) ? tellingLine(tail) : null;
  return line ?? message;
}

/** The line that tells what went wrong, as it was written. */
export const tellingOf = (error: ErrorText): string => headOfMessage(tellingText(error));

/** The shape of an error; empty where it has no text. */
export const shapeOfError = (error: ErrorText): string => shapeOf(tellingText(error));

/** One line that tells, without what only leads to it. */
export const essenceOfError = (error: ErrorText): string => essenceOf(tellingText(error));

const HASH_LENGTH = 16;

/** Identity of a shape: the version of the rules and a hash of reason and shape. Pure. */
export function shapeId(type: string, shape: string): string {
  const hash = createHash('sha256').update(`${type}\n${shape}`).digest('hex');
  return SHAPE_IDS.from + hash.slice(0, HASH_LENGTH);
}

const ID_LENGTH = 8;

/** The id that a pattern has which begins with this shape: `p-` and 8 hexadecimal digits. */
export const firstPatternId = (shape: string): string =>
  `p-${shape.slice(SHAPE_IDS.from.length).slice(0, ID_LENGTH)}`;
