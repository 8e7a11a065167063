/** `instanceof` for a value of a workstream's making: false where a proxy throws instead of answering. */
export function isInstance<T>(value: unknown, type: abstract new (...args: never[]) => T): value is T {
  try {
    return value instanceof type;
  } catch {
    return false;
  }
}
