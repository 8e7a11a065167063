/** Starts the dashboard in a browser. */
import '../page.css';
import './dashboard.css';
import { render } from 'preact';
import { followKeys } from '../keys.tsx';
import { followAddress, followTheme } from '../state.ts';
import { Dashboard } from './app.tsx';
import { messageOfError, openSession } from './client.ts';

async function start(root: HTMLElement): Promise<void> {
  followTheme();
  try {
    await openSession();
  } catch (error) {
    root.textContent = messageOfError(error);
    return;
  }
  followAddress(true);
  render(<Dashboard />, root);
  followKeys();
}

const root = document.getElementById('page');
if (root !== null) void start(root);
