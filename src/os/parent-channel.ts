/** The channel to the process that has started this one, where there is one. */

/** Kept from code of workstreams, which may put something else in its place. */
const send = process.send?.bind(process);

/**
 * Sends a message to the parent. Where there is no channel, or the parent ends before it is written, it is lost: whoever has
 * to know that listens for `disconnect`. Node tells the error to `onSent`; without one it throws it where nothing can catch
 * it.
 * @param onSent called once the message is written or lost.
 */
export function sendToParent(message: unknown, onSent: () => void = () => undefined): void {
  if (send === undefined || !process.connected) return onSent();
  send(message, undefined, undefined, () => onSent());
}
