import './page.css';
import { render } from 'preact';
import type { PageDocument } from '../domain/page-document.ts';
import { readDocument } from './read-document.ts';

function Page({ head }: PageDocument) {
  const { completed, workstreams } = head.run.totals;
  return (
    <main>
      <h1>
        {completed} of {workstreams} workstreams completed.
      </h1>
    </main>
  );
}

const root = document.getElementById('page');
if (root !== null) {
  readDocument().then(
    (page) => render(<Page {...page} />, root),
    (error: unknown) => {
      root.textContent = `This page can't be shown: ${error instanceof Error ? error.message : String(error)}`;
    },
  );
}
