import type { EventSink, RunEvent, RunListener } from '../domain/run-event.ts';

/** Passes events to each listener, in the form that it takes. One that throws is named in a warning, and changes nothing. */
export function tell(listeners: readonly (RunListener | EventSink)[], events: readonly RunEvent[]): void {
  for (const listener of listeners) {
    if (typeof listener === 'function') for (const event of events) guarded(listener, event, event);
    else guarded((all: readonly RunEvent[]) => listener.take(all), events, events[0]);
  }
}

function guarded<T>(notify: (what: T) => void, what: T, event: RunEvent | undefined): void {
  try {
    notify(what);
  } catch (error) {
    process.emitWarning(`A listener failed at ${event?.type}: ${String(error)}`, 'MillraceWarning');
  }
}
