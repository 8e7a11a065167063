/** The token of a dashboard, and where one is needed that the user has made. Loads nothing. */
import { randomBytes } from 'node:crypto';

/** The variable that a user may put a token in. */
export const TOKEN_VARIABLE = 'MILLRACE_DASHBOARD_TOKEN';

/** Shorter tokens can be guessed. */
export const LEAST_TOKEN = 16;

const TOKEN_BYTES = 32;
export const newToken = (): string => randomBytes(TOKEN_BYTES).toString('base64url');

/** Whether only this machine reaches an address. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
