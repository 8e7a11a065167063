import type { RunEvent } from '../domain/run-event.ts';
import type { Redactor } from '../support/redactor.ts';

/**
 * An event without secrets; the same object where it holds none. What `run-started` says of workstreams is what agents
 * get; the texts of theirs that are kept were redacted when they were loaded.
 */
export function redactEvent(event: RunEvent, redactor: Redactor): RunEvent {
  if (redactor.isIdle || event.type === 'run-started') return event;
  if (event.type === 'workstream-log') return { ...event, line: redactor.json(event.line) };
  if (event.type !== 'workstream-finished') return redactor.fields(event);
  const { output, definition } = event.result.metadata;
  const data = redactor.data({ output, definition });
  const result = redactor.fields(event.result);
  if (result === event.result && data.output === output && data.definition === definition) return event;
  return { ...event, result: { ...result, metadata: { ...result.metadata, ...data } } };
}
