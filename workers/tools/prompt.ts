/** The prompt of a coding agent. Deterministic: one workstream has one text. */
import type { ContinuedSession } from '../../src/domain/assignment.ts';
import type { Failure } from '../../src/domain/failure.ts';
import { describeFailure, failureContext } from '../../src/domain/failure-message.ts';
import type { Workstream } from '../../src/domain/workstream.ts';
import { lastOf } from '../../src/text/cut-text.ts';

const MAX_TAIL = 4_000;

/** An acceptance test as the prompt shows it. */
interface PromptCheck {
  text: string;
  /** A person decides; otherwise it is a command. */
  manual: boolean;
}

export interface PromptInput {
  workstream: Workstream;
  tasks: readonly string[];
  checks: readonly PromptCheck[];
  /** Why the attempt before this one failed; null for the first. */
  previousFailure: Failure | null;
  /** What it goes on with, in a workspace that holds what was done; null where it begins afresh. */
  session: ContinuedSession | null;
}

/**
 * Builds the prompt: plain text with short headings. It contains the definition's texts unchanged and in full, but of
 * output only the end. It begins with a word of ours, because some tools take a message that begins with `/` or `!`
 * for a command of their own.
 */
export function buildPrompt(input: PromptInput): string {
  const sections = [
    about(input),
    goOn(input),
    tasks(input),
    files(input),
    acceptance(input),
    before(input),
    rules(input),
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

function about({ workstream }: PromptInput): string {
  const heading = `Your work, ${workstream.id}: ${workstream.title}`;
  return workstream.description === null ? heading : `${heading}\n\n${workstream.description}`;
}

function tasks({ tasks: texts }: PromptInput): string {
  if (texts.length === 0) return '';
  return `TASKS\n\n${texts.map((text, index) => `${index + 1}. ${text}`).join('\n')}`;
}

function files({ workstream: { filesScope, filesCreate } }: PromptInput): string {
  const may =
    filesScope.length === 0 ? '' : `You may change what these paths and globs name:\n${list(filesScope)}`;
  const create = filesCreate.length === 0 ? '' : `You are to create:\n${list(filesCreate)}`;
  const text = [may, create].filter((part) => part !== '').join('\n\n');
  return text === '' ? '' : `FILES (paths from the folder that you were started in)\n\n${text}`;
}

function acceptance({ checks }: PromptInput): string {
  if (checks.length === 0) return '';
  const lines = checks.map(({ text, manual }) =>
    manual
      ? `checked by a person: ${text}`
      : `this command ends with exit code 0, and nothing that it prints or reports says that a test failed: ${text}`,
  );
  return `ACCEPTED WHEN\n\n${list(lines)}`;
}

function goOn({ session }: PromptInput): string {
  if (session === null) return '';
  const ended = session.sameAttempt
    ? `It was ended before it was done. ${describeFailure(session.why)}\n\n`
    : '';
  return `GO ON\n\nThis work has been begun. ${ended}What was done is in this folder. See how far it is, and go on from there; do not begin anew.`;
}

function before({ previousFailure: failure }: PromptInput): string {
  if (failure === null) return '';
  const { tail, stack } = failureContext(failure);
  const tests =
    failure.reason === 'acceptance-failed'
      ? `Tests that failed:\n${list(failure.tests.map(({ name, detail }) => `${name}: ${detail}`))}`
      : '';
  const findings =
    failure.reason === 'review-failed' ? `What the reviewer found:\n${list(failure.findings)}` : '';
  const parts = [
    'LAST TIME',
    `The attempt before this one failed. ${describeFailure(failure)}`,
    tests,
    findings,
    tail === null ? '' : `The end of its output, at most ${MAX_TAIL} characters:\n${endOf(tail)}`,
    stack === null ? '' : `The end of the stack, at most ${MAX_TAIL} characters:\n${endOf(stack)}`,
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

function rules({ workstream: { filesScope, filesCreate } }: PromptInput): string {
  const scope =
    filesScope.length + filesCreate.length === 0
      ? 'Change only files that the work needs, all of them below this folder.'
      : 'Change no file beside those named under FILES.';
  return `RULES\n\n${list([
    scope,
    'Do not commit and do not push. What you changed is found when you have ended.',
    'Nobody can answer questions. Decide what is open, and say at the end what you decided.',
    'Leave no program running.',
  ])}`;
}

const list = (lines: readonly string[]): string => lines.map((line) => `- ${line}`).join('\n');

const endOf = (text: string): string => (text.length <= MAX_TAIL ? text : `…${lastOf(text, MAX_TAIL)}`);
