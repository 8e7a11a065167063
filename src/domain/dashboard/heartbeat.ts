/**
 * The sign of life of every stream of events. A connection that broke without a sign, as where a computer slept or changed its
 * network, is silent, and no browser tells: so each client hears something now and then.
 */

/** Name of the event. It has no id, so that it changes nothing of where a client goes on. */
export const HEARTBEAT = 'heartbeat';

/** It is sent to a client that was sent nothing from one such moment to the next, in milliseconds: after twice that at most. */
export const HEARTBEAT_MS = 10_000;

/** A connection of which nothing was heard for so many milliseconds is lost. */
export const MOST_SILENCE_MS = 3 * HEARTBEAT_MS;
