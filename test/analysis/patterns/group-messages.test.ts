import { describe, expect, test } from 'vitest';
import {
  MessageGroups,
  MessageShapes,
  patternOfShape,
} from '../../../src/analysis/patterns/group-messages.ts';
import { MERGED_SHAPES } from '../../../src/analysis/patterns/merge.ts';
import { seededRandom } from '../../kit/random.ts';

/** Words without digits, so that each makes a shape of its own. */
const wordOf = (number: number): string =>
  String(number).replaceAll(/\d/g, (digit) => 'abcdefghij'.charAt(Number(digit)));

/** As many shapes that have nothing in common as are merged. */
const enough = Array.from({ length: MERGED_SHAPES }, (_, index) => `${wordOf(index)} ${wordOf(index * 7)}`);

test('what differs in its values alone is one pattern', () => {
  const shapes = new MessageShapes();
  const [first, second, other] = ['row 7 is locked', 'row 8 is locked', 'disk is full'].map((each) =>
    shapes.add(each),
  );
  expect(first).toBe(second);
  const [locked, full] = shapes.merged();
  expect(locked).toMatchObject({ template: 'row <*> is locked', members: [first] });
  expect(full).toMatchObject({ template: 'disk is full', members: [other] });
});

describe('beyond 10,000 shapes', () => {
  test('each further one is a pattern by itself', () => {
    const shapes = new MessageShapes();
    for (const each of enough) shapes.add(each);
    expect(shapes.add('row 7 is locked')).toBe('row <*> is locked');
    expect(shapes.add('row 8 is locked')).toBe('row <*> is locked');
    expect(shapes.add(enough[5] ?? '')).toBe(5);
    expect(patternOfShape('row <*> is locked').id).toMatch(/^p-[\da-f]{8}$/);
  });

  test('all are counted, and the most frequent ones are listed whenever they came', () => {
    const groups = new MessageGroups({ listed: 5 });
    const counts = new Map<string, number>();
    const random = seededRandom(3);
    for (const each of enough) groups.add(each);
    for (let count = 0; count < 20_000; count += 1) {
      const message = `late ${wordOf(Math.floor(random() ** 3 * 300))}`;
      counts.set(message, (counts.get(message) ?? 0) + 1);
      groups.add(message);
    }
    const most = [...counts].toSorted(([, a], [, b]) => b - a).slice(0, 5);
    const { messages, total, groups: listed } = groups.result();
    expect([messages, total]).toEqual([30_000, MERGED_SHAPES + counts.size]);
    expect(listed.map(({ template, count }) => [template, count])).toEqual(most);
  });
});
