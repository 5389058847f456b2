/** Starts the dashboard. */
import { render } from 'preact';
import { App } from './app.tsx';
import { ANSWER_PATH } from './pages/answer.tsx';
import { bindAddress } from './state/address.ts';
import { startFollowing } from './state/board.ts';
import { startNotifying } from './state/notifications.ts';
import './styles/index.css';
import './state/theme.ts';

// The holder of an answer link sees one question and nothing else.
if (location.pathname !== ANSWER_PATH) {
  startFollowing();
  bindAddress();
  startNotifying();
}
const root = document.getElementById('app');
if (root) render(<App />, root);
