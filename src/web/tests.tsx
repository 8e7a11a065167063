/** The tests of a run: those that failed, and the checks that are left for a person. */
import { Icon } from './icons.tsx';
import { count, plural } from './model/format.ts';
import type { Run } from './model/run.ts';
import { SectionView, Words, WorkstreamLink } from './parts.tsx';
import { Table } from './table.tsx';

export function Tests({ run }: { run: Run }) {
  const { tests, testCases, failedCases, failedTests, manualChecks } = run.head;
  if (tests.total + manualChecks.total === 0 && testCases === null) return null;
  return (
    <SectionView
      id="tests"
      title="Tests"
      note={`${count(tests.passed)} of ${plural(tests.passed + tests.failed, 'acceptance test')} passed${testCases === null ? '' : `, ${count(testCases.passed)} of ${plural(testCases.total, 'test')} in them`}`}
    >
      <div class="card">
        {failedCases.shown.length > 0 && (
          <Table
            label="Tests that failed"
            columns={[
              {
                key: 'name',
                title: 'Test that failed',
                class: 'full',
                cell: ({ suite, name }) => (
                  <span class="two">
                    <b>
                      <Words text={name} length={160} />
                    </b>
                    {suite !== '' && (
                      <span class="sub2">
                        <Words text={suite} length={120} />
                      </span>
                    )}
                  </span>
                ),
              },
              {
                key: 'message',
                title: 'Message',
                class: 'full',
                cell: ({ message }) => (
                  <span class="fail">
                    <Words text={message ?? ''} length={240} />
                  </span>
                ),
              },
              {
                key: 'id',
                title: 'Workstream',
                cell: ({ workstreamId }) => <WorkstreamLink id={workstreamId} />,
              },
            ]}
            rows={failedCases.shown.slice(0, 200)}
            keyOf={({ workstreamId, suite, name }) => `${workstreamId}\n${suite}\n${name}`}
          />
        )}
        {failedCases.shown.length === 0 && failedTests.shown.length > 0 && (
          <Table
            label="Acceptance tests that failed"
            columns={[
              {
                key: 'name',
                title: 'Acceptance test that failed',
                class: 'full',
                cell: ({ name }) => (
                  <b>
                    <Words text={name} length={160} />
                  </b>
                ),
              },
              {
                key: 'detail',
                title: 'What it says',
                class: 'full',
                cell: ({ detail }) => (
                  <span class="fail">
                    <Words text={detail} length={240} />
                  </span>
                ),
              },
              {
                key: 'id',
                title: 'Workstream',
                cell: ({ workstreamId }) => <WorkstreamLink id={workstreamId} />,
              },
            ]}
            rows={failedTests.shown.slice(0, 200)}
            keyOf={({ workstreamId, name }) => `${workstreamId}\n${name}`}
          />
        )}
        {manualChecks.shown.length > 0 && (
          <Table
            label="Checks for a person"
            columns={[
              {
                key: 'name',
                title: 'Left for a person',
                class: 'full',
                cell: ({ name, detail }) => (
                  <span class="two">
                    <Words text={name} length={200} />
                    {detail !== '' && (
                      <span class="sub2">
                        <Words text={detail} length={200} />
                      </span>
                    )}
                  </span>
                ),
              },
              {
                key: 'id',
                title: 'Workstream',
                cell: ({ workstreamId }) => <WorkstreamLink id={workstreamId} />,
              },
            ]}
            rows={manualChecks.shown.slice(0, 200)}
            keyOf={({ workstreamId, name }) => `${workstreamId}\n${name}`}
          />
        )}
        {failedCases.shown.length + failedTests.shown.length + manualChecks.shown.length === 0 && (
          <p class="pad st done">
            <Icon glyph="tick" /> Nothing failed.
          </p>
        )}
      </div>
    </SectionView>
  );
}
