import type { ZodObject } from 'zod';
import {
  acceptanceSchemas,
  actionSchemas,
  dependencySchemas,
  gateSchemas,
  stepSchemas,
} from '../domain/step-file.ts';

/** What the elements of a list may be. */
export interface Alternatives {
  /** Whether plain text is one. */
  text: boolean;
  /** The objects, by the key that tells them apart. */
  objects: Record<string, ZodObject>;
}

/** The lists of a definition whose elements take more than one form, by field. */
export const ALTERNATIVES: ReadonlyMap<string, Alternatives> = new Map([
  ['steps', { text: false, objects: stepSchemas }],
  ['depends_on', { text: true, objects: dependencySchemas }],
  ['acceptance_tests', { text: true, objects: acceptanceSchemas }],
  ['compensation_actions', { text: true, objects: actionSchemas }],
  ['test_gates', { text: false, objects: gateSchemas }],
]);
