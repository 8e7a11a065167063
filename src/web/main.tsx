/** Draws the document that is in the page. */
import './page.css';
import { render } from 'preact';
import { App } from './app.tsx';
import { followKeys } from './keys.tsx';
import { readDocument } from './read-document.ts';
import { followAddress, followTheme } from './state.ts';

async function draw(root: HTMLElement): Promise<void> {
  followTheme();
  try {
    const page = await readDocument();
    followAddress();
    render(<App document={page} />, root);
    followKeys();
  } catch (error) {
    root.textContent = `This page can't be shown: ${error instanceof Error ? error.message : String(error)}`;
  }
}

const root = document.getElementById('page');
if (root !== null) void draw(root);
