/** Starts the dashboard in a browser. */
import '../page.css';
import './dashboard.css';
import { render } from 'preact';
import { followKeys } from '../keys.tsx';
import { followAddress, followTheme } from '../state.ts';
import { Dashboard } from './app.tsx';
import { isSignedOut, messageOfError, openSession, tokenInAddress } from './client.ts';
import { SignInPage } from './sign-in.tsx';

async function start(root: HTMLElement): Promise<void> {
  followTheme();
  // Of an address with a token that is opened where the page is open already, the browser changes the fragment alone.
  addEventListener('hashchange', () => {
    if (tokenInAddress() !== null) location.reload();
  });
  const hadToken = tokenInAddress() !== null;
  try {
    await openSession();
  } catch (error) {
    const problem = messageOfError(error);
    if (isSignedOut.value)
      render(<SignInPage problem={hadToken ? problem : null} onDone={() => show(root)} />, root);
    else root.textContent = problem;
    return;
  }
  show(root);
}

function show(root: HTMLElement): void {
  followAddress(true);
  render(<Dashboard />, root);
  followKeys();
}

const root = document.getElementById('page');
if (root !== null) void start(root);
