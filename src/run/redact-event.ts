import type { RunEvent } from '../domain/run-event.ts';
import type { Redactor } from '../support/redactor.ts';

/** An event without secrets; the same object where it holds none. */
export function redactEvent(event: RunEvent, redactor: Redactor): RunEvent {
  if (redactor.isIdle) return event;
  switch (event.type) {
    case 'run-started':
      // Its workstreams are those that agents get; the texts of theirs that are kept were redacted when they were loaded.
      return event;
    case 'workstream-log':
      return { ...event, line: redactor.json(event.line) };
    case 'workstream-finished': {
      const { metadata, ...fields } = event.result;
      const { output, definition, ...known } = metadata;
      const data = redactor.data({ output, definition });
      return {
        type: event.type,
        result: { ...redactor.fields(fields), metadata: { ...redactor.fields(known), ...data } },
      };
    }
    default:
      return redactor.fields(event);
  }
}
