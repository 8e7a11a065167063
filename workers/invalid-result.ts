/** What a module returned can't be used; the message says where and why. */
export class InvalidResultError extends Error {
  override name = 'InvalidResultError';
}
