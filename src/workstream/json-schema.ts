import { z } from 'zod';
import { workstreamFileSchema } from '../domain/workstream-file.ts';

/**
 * The JSON Schema (draft 2020-12) of a workstream file: one definition or an array of them. Fields it does not name
 * are allowed, as they are when loading.
 */
export function workstreamJsonSchema(): object {
  const file = z.union([workstreamFileSchema, z.array(workstreamFileSchema)]).meta({
    title: 'Workstream file of millrace',
    description: 'One workstream, or an array of them.',
  });
  return z.toJSONSchema(file, { target: 'draft-2020-12', io: 'input' });
}
