import { Redactor } from '../../src/secrets/redactor.ts';

/** Of a run whose environment holds no secret. */
export const NO_SECRETS = new Redactor([]);
