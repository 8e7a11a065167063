/** What a person writes of containing, as schemas, and what it becomes. */
import { z } from 'zod';
import { type Containing, type Network, NOT_SAID, SANDBOX_KINDS, type Sandbox } from './sandbox.ts';

const texts = z.array(z.string());

export const containingShape = {
  sandbox: z
    .strictObject({ kind: z.enum(SANDBOX_KINDS), write: texts, read: texts, hide: texts })
    .nullable() satisfies z.ZodType<Sandbox | null>,
  network: z.union([z.enum(['all', 'none']), texts]).nullable() satisfies z.ZodType<Network | null>,
};

const path = z
  .string()
  // oxlint-disable-next-line no-control-regex
  .regex(/^[^\u0000]*\S[^\u0000]*$/, 'a path')
  .max(4096);
const paths = z.array(path).max(1000).optional();
const HOST = /^(?:\*\.)?[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[1-9][0-9]{0,4})?$/;
const hosts = z
  .array(z.string().regex(HOST, 'a host such as "example.org", "*.example.org" or "example.org:8080"'))
  .min(1)
  .max(1000);

/** The fields of a step, a workstream or a configured tool. */
export const containingFileFields = {
  sandbox: z
    .union(
      [
        z.enum(SANDBOX_KINDS),
        z.strictObject({
          kind: z.literal('bwrap'),
          write: paths.describe('Writable beside the workspace.'),
          read: paths.describe('Readable although they are hidden otherwise.'),
          hide: paths.describe('Neither readable nor writable.'),
        }),
      ],
      { error: '"bwrap", "none" or an object with kind, write, read and hide' },
    )
    .optional()
    .describe(
      'bwrap: child processes are contained by bubblewrap: they write to the workspace only, and keys, logins and the state of Millrace are hidden from them. Default: none.',
    ),
  network: z
    .union([z.enum(['all', 'none']), hosts], {
      error: '"all", "none" or a list of hosts such as "example.org" or "example.org:8080"',
    })
    .optional()
    .describe(
      'What child processes in a sandbox may reach: all (default), none, or these hosts over HTTP(S).',
    ),
};
const containingFile = z.object(containingFileFields);
export type ContainingFile = z.infer<typeof containingFile>;

/** What a definition says, and where it says nothing, `outer`. */
export function normalizeContaining(said: ContainingFile, outer: Containing = NOT_SAID): Containing {
  if (said.sandbox === undefined && said.network === undefined) return outer;
  return {
    sandbox: said.sandbox === undefined ? outer.sandbox : sandboxOf(said.sandbox),
    network: said.network ?? outer.network,
  };
}

function sandboxOf(said: NonNullable<ContainingFile['sandbox']>): Sandbox {
  const { kind, write = [], read = [], hide = [] } = typeof said === 'string' ? { kind: said } : said;
  return { kind, write, read, hide };
}
