/** A program that logs a made-up run. Arguments: what to do, and a file to log to as well (or nothing). */
import { RunLog } from '../../src/progress/logs.ts';
import { completed, runEnded, runStarted, started } from '../kit/events.ts';

const [what, file] = process.argv.slice(2);
// As soon as anything asks for it, Node makes a pipe non-blocking.
if (what === 'without blocking') process.stdout.on('error', () => undefined);

const log = new RunLog({
  level: 'info',
  descriptor: 1,
  file: file ?? null,
  format: what === 'text' ? 'text' : 'json',
});
const count = what === 'many' ? 50_000 : 5_000;
process.stderr.write('begin\n');
log.take([runStarted(count, 1)]);
for (let n = 1; n <= count; n += 1) {
  log.take([started(`ws-${n}`, 1, n, { title: 'x'.repeat(200) })]);
  log.take([completed(`ws-${n}`, 1)]);
}
log.take([runEnded(0, 60)]);
process.stderr.write('survived\n');
await log.close();
process.exit(what === 'exit' ? 3 : 0);
