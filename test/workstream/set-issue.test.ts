import { describe, expect, test } from 'vitest';
import { withIssueNumbers } from '../../src/workstream/set-issue.ts';

const numbered = (text: string, ...numbers: number[]): string | null =>
  withIssueNumbers(
    text,
    numbers.map((number, position) => ({ position, number })),
  );

describe('the number of an issue in the text of a file', () => {
  test('comes after the first field, and comments, order and trailing commas stay', () => {
    expect(numbered('{\n\t// why\n\t"id": "a", // its name\n\t"steps": [],\n}\n', 7)).toBe(
      '{\n\t// why\n\t"id": "a",\n\t"ccpm_issue": 7, // its name\n\t"steps": [],\n}\n',
    );
  });

  test('comes into each definition of an array', () => {
    expect(numbered('[\n  {"id": "a"},\n  {"id": "b", "x": 1}\n]', 1, 2)).toMatch(
      /"id": "a",\s*"ccpm_issue": 1\s*\},\s*\{\s*"id": "b",\s*"ccpm_issue": 2,\s*"x": 1/,
    );
  });

  test('replaces another one, and is not written twice', () => {
    const text = '{"id": "a", "ccpm_issue": "later"}';
    expect(numbered(text, 7)).toBe('{"id": "a", "ccpm_issue": 7}');
    expect(numbered('{"id": "a", "ccpm_issue": 7}', 7)).toBe('{"id": "a", "ccpm_issue": 7}');
  });

  test('keeps the line ends of the file', () => {
    expect(numbered('{\r\n  "id": "a",\r\n  "steps": []\r\n}\r\n', 7)).toBe(
      '{\r\n  "id": "a",\r\n  "ccpm_issue": 7,\r\n  "steps": []\r\n}\r\n',
    );
  });

  test('is not written into what is no definition', () => {
    expect([numbered('{"id": ', 7), numbered('[1]', 7), numbered('[]', 7)]).toEqual([null, null, null]);
  });
});
