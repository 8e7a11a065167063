import { expect, test } from 'vitest';
import { ESSENTIAL, Intrinsics, readEssential } from '../../../workers/thread/intrinsics.ts';

const essential = ESSENTIAL.flatMap(([name, holder, keys]) =>
  keys.map((key) => ({ name: name + String(key), holder, key })),
);

test('what is compared each time is read in the order of its names', () => {
  const values = essential.map(({ holder, key }): unknown => holder[key]);
  expect(readEssential()).toEqual(values);
  expect(readEssential().every((value, index) => value === values[index])).toBe(true);
});

// The others are what a test itself runs on.
test.each(['Math.random', 'Date.now', 'Object.assign', 'clearTimeout'])('a change of %s is found', (name) => {
  const intrinsics = new Intrinsics();
  const found = essential.find((each) => each.name === name);
  if (found === undefined) throw new Error(`${name} is not among them`);
  const { holder, key } = found;
  const before: unknown = holder[key];
  expect(intrinsics.changed(false)).toBe(null);
  holder[key] = () => 0;
  const changes = [intrinsics.changed(false), intrinsics.changed(true)];
  intrinsics.restore();
  expect(changes).toEqual([name, name]);
  expect(holder[key]).toBe(before);
  expect(intrinsics.changed(false)).toBe(null);
});

test('a getter that throws is a change, and is put back', () => {
  const { random } = Math;
  const intrinsics = new Intrinsics();
  const get = (): never => {
    throw new Error('not to be read');
  };
  Object.defineProperty(Math, 'random', { get, configurable: true });
  const changes = [intrinsics.changed(false), intrinsics.changed(true)];
  intrinsics.restore();
  expect(changes).toEqual(['Math.random', 'Math.random']);
  expect(Math.random).toBe(random);
});

test('what was added to the prototype of all objects is taken away, and keeps nothing from being put back', () => {
  const { random } = Math;
  const intrinsics = new Intrinsics();
  Math.random = () => 0;
  for (const key of ['get', 'then']) Reflect.set(Object.prototype, key, () => undefined);
  intrinsics.restore();
  expect(Math.random).toBe(random);
  expect(['get' in Object.prototype, 'then' in Object.prototype]).toEqual([false, false]);
  expect(intrinsics.changed(true)).toBe(null);
});
