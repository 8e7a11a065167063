import type { FinalStatus } from '../domain/agent-result.ts';
import type { ShortResult } from '../domain/run-record.ts';
import { oneLine } from '../support/printable.ts';
import { parse } from './clock.ts';

const MARKS: Record<FinalStatus, { sign: string; tag: string }> = {
  completed: { sign: '✓', tag: 'done' },
  failed: { sign: '✗', tag: 'crit' },
  skipped: { sign: '○', tag: 'active' },
};

/**
 * A Mermaid Gantt chart with a section an agent; null when nothing has a start and a duration. Times are in UTC.
 * The sign before each name keeps a name from being read as one of Mermaid's own words.
 */
export function gantt(title: string, items: ShortResult[]): string | null {
  const sections = new Map<string, string[]>();
  for (const item of items) {
    const bar = barOf(item);
    if (bar === null) continue;
    const bars = sections.get(item.agentId);
    if (bars === undefined) sections.set(item.agentId, [bar]);
    else bars.push(bar);
  }
  if (sections.size === 0) return null;
  const lines = [
    'gantt',
    `    title ${label(title)}`,
    '    dateFormat YYYY-MM-DD HH:mm:ss.SSS',
    '    axisFormat %H:%M:%S',
  ];
  const names = [...sections.keys()].toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  for (const name of names) lines.push(`    section ${label(name)}`, ...(sections.get(name) ?? []));
  return lines.join('\n');
}

function barOf(item: ShortResult): string | null {
  const start = parse(item.startTime);
  if (start === null || item.durationSeconds === null) return null;
  const { sign, tag } = MARKS[item.status];
  const from = new Date(start).toISOString().slice(0, 23).replace('T', ' ');
  const length = Math.max(1, Math.round(item.durationSeconds * 1000));
  return `    ${sign} ${label(item.workstreamId)} :${tag}, ${from}, ${length}ms`;
}

/** A name without the characters that end a statement or begin a comment in Mermaid. */
function label(name: string): string {
  return oneLine(name, 60).replaceAll(/[^\p{L}\p{N} _./-]+/gu, '-') || '-';
}
