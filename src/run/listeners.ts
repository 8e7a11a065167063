import type { EventSink, RunEvent, RunListener } from '../domain/run-event.ts';

/** Passes events to each listener, in the form that it takes. One that throws is named in a warning, and changes nothing. */
export function tell(listeners: readonly (RunListener | EventSink)[], events: readonly RunEvent[]): void {
  for (const listener of listeners) {
    if (typeof listener === 'function') for (const event of events) guarded(event, () => listener(event));
    else guarded(events[0], () => listener.take(events));
  }
}

function guarded(event: RunEvent | undefined, notify: () => void): void {
  try {
    notify();
  } catch (error) {
    process.emitWarning(`A listener failed at ${event?.type}: ${String(error)}`, 'MillraceWarning');
  }
}
