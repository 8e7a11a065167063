import type { Project } from '../domain/project.ts';
import { Redactor } from '../support/redactor.ts';
import { nameRule, secretsAmong } from './secrets.ts';

/** Redacts what is secret in the environment of this process alone, as long as nothing more is known. */
export function environmentRedactor(redact: Project['redact'] = { names: [], keep: [] }): Redactor {
  return new Redactor(secretsAmong(process.env, nameRule(redact)));
}
