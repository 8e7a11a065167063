import { quote } from './describe-value.ts';
import type { JsonPath } from './locate.ts';

/** A path as people write it: `steps[0].run`, `env["a b"]`. */
export function fieldPath(path: JsonPath): string {
  return path.map(segmentText).join('').replace(/^\./, '');
}

function segmentText(segment: string | number): string {
  if (typeof segment === 'number') return `[${segment}]`;
  return /^[\w$-]{1,60}$/.test(segment) ? `.${segment}` : `[${quote(segment)}]`;
}
