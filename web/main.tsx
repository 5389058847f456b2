/** Starts the dashboard. */
import { render } from 'preact';
import { App } from './app.tsx';
import { startFollowing } from './state/board.ts';
import './styles/index.css';
import './state/theme.ts';

startFollowing();
const root = document.getElementById('app');
if (root) render(<App />, root);
