import fc from 'fast-check';
import { expect, test } from 'vitest';
import { blocksIn, withBlock } from '../../src/github/marks.ts';

const part = (content: string, subject = 'ws-a') => ({ subject, fields: { head: 'abc' }, content });

test('a part of ours goes to the end of a text, and in place of itself', () => {
  const first = withBlock('Mine.', part('one'));
  expect(first).toBe('Mine.\n\n<!-- millrace:ws-a head=abc -->\none\n<!-- /millrace:ws-a -->');
  expect(withBlock(`${first}\n\nMore.`, part('two'))).toBe(
    'Mine.\n\n<!-- millrace:ws-a head=abc -->\ntwo\n<!-- /millrace:ws-a -->\n\nMore.',
  );
});

test('line ends that GitHub changed are no difference', () => {
  const text = withBlock('', part('one\ntwo')).replaceAll('\n', '\r\n');
  expect(blocksIn(text)).toMatchObject([{ subject: 'ws-a', fields: { head: 'abc' }, content: 'one\ntwo' }]);
});

test('a part without an end is none, so that nothing after it is lost', () => {
  expect(blocksIn('<!-- millrace:ws-a -->\nwords of a person')).toEqual([]);
});

test('parts of two subjects do not touch each other', () => {
  const both = withBlock(withBlock('', part('a')), part('b', 'ws-b'));
  expect(blocksIn(withBlock(both, part('changed'))).map(({ content }) => content)).toEqual(['changed', 'b']);
});

test('a content that is too long for GitHub is cut at the end of a line', () => {
  const text = withBlock('Mine.', part('a line of it\n'.repeat(10_000)));
  expect(text.length).toBeLessThanOrEqual(65_536);
  expect(text).toMatch(/a line of it\n\n…\n<!-- \/millrace:ws-a -->$/);
});

test('what is around a part stays whatever it is, and to write the same again changes nothing', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.string(), (before, after, content) => {
      const first = withBlock(before, part('x'));
      const text = withBlock(first + after, part(content));
      const [block] = blocksIn(text);
      expect(text.slice(0, block?.start)).toBe(first.slice(0, blocksIn(first)[0]?.start));
      expect(text.slice(block?.end)).toBe(after);
      expect(withBlock(text, part(content))).toBe(text);
      expect(blocksIn(text)).toHaveLength(1);
    }),
  );
});

test('a content that looks like a mark is none', () => {
  const text = withBlock('', part('x <!-- /millrace:ws-a --> y <!--millrace:ws-b --> z'));
  expect(blocksIn(text)).toMatchObject([
    { content: 'x <!- - /millrace:ws-a --> y <!- -millrace:ws-b --> z' },
  ]);
});
