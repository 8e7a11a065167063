/** What workstreams without a result have done is kept until the run has ended. */
import { expect, test } from 'vitest';
import { keptCandidates, keptSessions } from '../../../src/store/read/kept-work.ts';
import { SqliteRecorder } from '../../../src/store/write/recorder.ts';
import { candidateEnded, candidateReviewed, RUN, runStarted, sessionBegan } from '../../kit/events.ts';
import { opened } from '../../kit/recorded-run.ts';
import { temporaryFolder } from '../../kit/temporary-folder.ts';

function recording() {
  const connection = opened(temporaryFolder());
  const recorder = new SqliteRecorder(connection);
  const at = '2026-01-02T03:04:05.000Z';
  recorder.claim(RUN, at);
  recorder.take([runStarted(2, 1)]);
  return { connection, recorder };
}

test('a candidate is read as it was written, with what its reviewer said', () => {
  const { connection, recorder } = recording();
  const ended = candidateEnded('ws-1');
  const reviewed = candidateReviewed('ws-1', 'rejected');
  recorder.take([ended, candidateEnded('ws-2'), reviewed]);
  recorder.commit();
  expect(keptCandidates(connection, RUN, ['ws-1', 'ws-9'])).toEqual(
    new Map([['ws-1', [{ candidate: ended.candidate, definitionHash: 'abc', review: reviewed.review }]]]),
  );
});

test('of the sessions of a workstream those of its last attempt are read', () => {
  const { connection, recorder } = recording();
  const first = sessionBegan('ws-1');
  const second = { ...first, session: { ...first.session, stepId: 'other', attempt: 2 } };
  recorder.take([first, second]);
  recorder.commit();
  expect(keptSessions(connection, RUN, ['ws-1'])).toEqual(new Map([['ws-1', [second.session]]]));
});
