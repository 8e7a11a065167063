// The baseline for commands: `true` COUNT times, two at a time, with nothing recorded. node bare-spawn.mjs COUNT
import { spawn } from 'node:child_process';

let left = Number(process.argv[2]);

async function spawnNext() {
  while (left > 0) {
    left -= 1;
    await new Promise((resolve, reject) => {
      spawn('true', { stdio: 'ignore' }).once('error', reject).once('exit', resolve);
    });
  }
}
await Promise.all([spawnNext(), spawnNext()]);
