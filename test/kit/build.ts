import { execFileSync } from 'node:child_process';

/** Worker threads and the command itself are tested as built, so the build comes first. */
export default function build(): void {
  execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' });
}
