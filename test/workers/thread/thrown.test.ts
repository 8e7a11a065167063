import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { describeFailure } from '../../../src/domain/failure-message.ts';
import { Redactor } from '../../../src/secrets/redactor.ts';
import { flattenThrown } from '../../../workers/thread/thrown.ts';

const redactor = new Redactor([{ name: 'TOKEN', value: 'sesame-4711' }]);

/** The message of a workstream that throws it. */
const said = (value: unknown): string =>
  describeFailure({ reason: 'thrown', how: 'thrown', thrown: flattenThrown(value, redactor) });

const caught = (throws: () => unknown): unknown => {
  try {
    return throws();
  } catch (error) {
    return error;
  }
};

describe('the causes of an error are told, the nearest first', () => {
  test('down to the root', () => {
    const root = Object.assign(new Error('connect failed'), { code: 'ECONNREFUSED' });
    const error = new Error('no order was saved', { cause: new TypeError('fetch failed', { cause: root }) });
    expect(said(error)).toBe(
      'Error: no order was saved\nCaused by: TypeError: fetch failed\nCaused by: Error: connect failed (ECONNREFUSED)',
    );
  });

  test('of several errors each', () => {
    const errors = [new Error('a is down'), 'b is down', new Error('c is down', { cause: 'no route' })];
    expect(said(new AggregateError(errors, 'All failed'))).toBe(
      'AggregateError: All failed\nCaused by: Error: a is down\nCaused by: b is down\nCaused by: Error: c is down\nCaused by: no route',
    );
  });

  test('of very many the first, and the root', () => {
    const errors = Array.from({ length: 5000 }, (_, index) => new Error(`no ${index}!`));
    const lines = said(new AggregateError(errors)).split('\n');
    expect(lines).toHaveLength(6);
    expect(lines.at(3)).toBe('Caused by: Error: no 2!');
    expect(lines.at(4)).toMatch(/^Caused by: \(\d+ more\)$/);
  });

  test.each<[string, unknown, string]>([
    ['text', 'the disk is full', 'the disk is full'],
    ['a number', 28, '28'],
    ['an object', { status: 500, at: { host: 'a' } }, "{ status: 500, at: { host: 'a' } }"],
    ['an error of another realm', runInNewContext('new RangeError("too far")'), 'RangeError: too far'],
    ['what has the fields of an error', { name: 'Failure', message: 'lost' }, 'Failure: lost'],
    ['an error without a message', Object.assign(new Error(''), { code: 'EPIPE' }), 'Error (EPIPE)'],
  ])('also where a cause is %s', (_, cause, text) => {
    expect(said(new Error('stopped', { cause }))).toBe(`Error: stopped\nCaused by: ${text}`);
  });

  test('once, where they go round in a circle or the message repeats them', () => {
    const error = new Error('first');
    error.cause = new Error('second', { cause: error });
    expect(said(error)).toBe('Error: first\nCaused by: Error: second');
    expect(said(new Error('could not: it is locked', { cause: new Error('it is locked') }))).toBe(
      'Error: could not: it is locked',
    );
  });

  test('without secrets', () => {
    expect(said(new Error('no', { cause: new Error('bad sesame-4711') }))).not.toContain('sesame');
    expect(said(new Error('no', { cause: { key: 'sesame-4711' } }))).not.toContain('sesame');
  });

  test('unless they refuse to be looked at at all, which does not take the message of the error', () => {
    const refuses = (): never => {
      throw new Error('trap');
    };
    const cause = new Proxy({}, { get: refuses, getPrototypeOf: refuses, ownKeys: refuses });
    expect(said(new Error('no order was saved', { cause }))).toBe(
      'Error: no order was saved\nCaused by: a value that can not be read',
    );
  });

  test('unless they can not be read', () => {
    const error = Object.defineProperty(new Error('no'), 'cause', {
      get: () => {
        throw new Error('trap');
      },
    });
    expect(said(error)).toBe('Error: no');
    const proxy = new Proxy(
      {},
      {
        has: () => true,
        get: () => {
          throw new Error('trap');
        },
      },
    );
    expect(said(new Error('no', { cause: proxy }))).toContain('Error: no');
  });
});

describe('a message', () => {
  test('begins with what it says', () => {
    expect(said(new Error('\n\n  the disk is full\n'))).toBe('Error: the disk is full');
    expect(said('\nthe disk is full')).toBe('thrown string: the disk is full');
  });

  test('that is a list of problems in JSON is told as text', () => {
    const schema = z.object({ name: z.string(), items: z.array(z.object({ n: z.number().positive() })) });
    const error = caught(() => schema.parse({ name: 1, items: [{ n: 1 }, { n: -1 }] }));
    expect(said(error)).toBe(
      'ZodError: name: Invalid input: expected string, received number; items.1.n: Too small: expected number to be >0',
    );
    expect(said(schema.safeParse({ name: 'a' }).error)).toContain('ZodError: items: Invalid input');
    expect(said(new Error('[1, 2]'))).toBe('Error: [1, 2]');
    expect(said(new Error('[not JSON]'))).toBe('Error: [not JSON]');
  });

  test.each<[string, PropertyDescriptor]>([
    ['is a symbol', { value: Symbol('lost') }],
    ['is an object', { value: { a: 1 } }],
    ['is a getter that throws', { get: () => JSON.parse('{') }],
    ['is an object that is no text', { value: Object.create(null) }],
  ])('that %s leaves the error its name', (_, message) => {
    const thrown = flattenThrown(Object.defineProperty(new RangeError('x'), 'message', message), redactor);
    expect(thrown.name).toBe('RangeError');
    expect(thrown.message).not.toContain('can not be read');
  });

  test('that is empty is replaced by the place, so that two of them are two errors', () => {
    const one = said(new Error());
    const other = said(new Error('  \n'));
    expect(one).toMatch(/^Error: no message, thrown at thrown\.test\.ts:\d+$/);
    expect(other).toMatch(/^Error: no message, thrown at thrown\.test\.ts:\d+$/);
    expect(other).not.toBe(one);
    expect(said(new Error('', { cause: 'lost' }))).toBe('Error\nCaused by: lost');
  });
});

test('a promise that is thrown is named, and nothing is shown of what Node keeps on it', () => {
  expect(said(Promise.resolve(1))).toBe(
    'thrown promise: a promise; await it, and throw what it rejects with',
  );
});
