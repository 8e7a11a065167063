import { expect, test } from 'vitest';
import { markdownProse } from '../../../../workstreams/tasks/lib/markdown-prose.ts';
import { words } from '../../../../workstreams/tasks/lib/words.ts';

const markdown = `# Title of *it*

Read the [manual](https://example.org/manual), \`not this\`. See [one][two] at https://example.org/.

\`\`\`js
const code = 1;
\`\`\`

| a table | of cells |
    indented code
<b>bold</b> ![picture](x.png) <!-- a
comment --> end

[two]: https://example.org/two
~~~
more code
~~~
Last line`;

test('leaves what a person would read aloud', () => {
  expect(words(markdownProse(markdown)).join(' ')).toBe(
    'title of it read the manual see one at bold picture end last line',
  );
});
