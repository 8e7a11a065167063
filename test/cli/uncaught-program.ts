import { redactUncaught } from '../../src/cli/uncaught.ts';
import { Redactor } from '../../src/secrets/redactor.ts';

redactUncaught(new Redactor([{ name: 'TOKEN', value: process.env['A_TOKEN'] ?? '' }]));
setTimeout(() => {
  throw new Error(`wrong: ${process.env['A_TOKEN']}`, { cause: { token: process.env['A_TOKEN'] } });
}, 0);
setInterval(() => undefined, 1000);
