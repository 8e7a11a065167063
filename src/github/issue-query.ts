/** Which issues a person means, in the words of GitHub's search; asked of the list of issues, which is never behind. */
import type { IssueFilter } from './api.ts';

const KNOWN =
  'label:NAME, state:open, state:closed, state:all, milestone:NUMBER, assignee:LOGIN, author:LOGIN';

const WORD = /([a-z]+):(?:"([^"]*)"|(\S+))|(\S+)/gi;

/** The filter that a query means, or in a sentence what is wrong with it. Without a state it means open issues. */
export function parseIssueQuery(query: string): IssueFilter | string {
  const labels: string[] = [];
  const filter: IssueFilter = {};
  for (const [whole, name = '', quoted, plain, loose] of query.matchAll(WORD)) {
    const value = quoted ?? plain ?? '';
    if (loose !== undefined || value === '') return unknown(whole);
    const key = name.toLowerCase();
    if (key === 'label') labels.push(value);
    else if (key === 'state' || key === 'is') {
      const state = (['open', 'closed', 'all'] as const).find((each) => each === value);
      if (state === undefined) {
        if (value !== 'issue') return unknown(whole);
      } else filter.state = state;
    } else if (key === 'milestone') filter.milestone = value;
    else if (key === 'assignee') filter.assignee = value;
    else if (key === 'author') filter.creator = value;
    else return unknown(whole);
  }
  if (labels.length === 0 && Object.keys(filter).length === 0) return unknown(query);
  return labels.length === 0 ? filter : { ...filter, labels: labels.join(',') };
}

const unknown = (word: string): string =>
  `--from-issues: "${word}" means nothing here. It takes words such as ${KNOWN}`;
