/** The frame around every page: navigation, search, slider, notices and help. */
import { useEffect, useRef } from 'preact/hooks';
import { LocationProvider, Route, Router, useLocation } from 'preact-iso';
import { ANSWER_PATH, AnswerPage } from './pages/answer.tsx';
import { LoginPage } from './pages/login.tsx';
import { NotFoundPage } from './pages/not-found.tsx';
import { PAGES, pageAt } from './pages.tsx';
import { Notices } from './parts/base/notices.tsx';
import { Help } from './parts/frame/help.tsx';
import { Navigation } from './parts/frame/navigation.tsx';
import { Palette } from './parts/frame/palette.tsx';
import { step, TimeBar } from './parts/frame/time-bar.tsx';
import { TopBar } from './parts/frame/top-bar.tsx';
import { writeAddress } from './state/address.ts';
import { attentionCount } from './state/attention.ts';
import { isHelpOpen, isPaletteOpen, listenForKeys } from './state/keyboard.ts';
import { goLive, wanted } from './state/past.ts';
import { session } from './state/session.ts';

/** Addresses of pages by the key that opens them after `g`. */
const PATHS_BY_KEY = new Map(PAGES.map(({ path, navigation }) => [navigation?.key, path]));

export function App() {
  if (location.pathname === ANSWER_PATH) return <AnswerPage />;
  if (session.isLocked.value) return <LoginPage />;
  return (
    <LocationProvider scope="/ui">
      <Frame />
    </LocationProvider>
  );
}

function Frame() {
  const { route, path } = useLocation();
  const waiting = attentionCount.value;
  useEffect(() => {
    const name = pageAt(path)?.name ?? 'Page not found';
    document.title = `${waiting === 0 ? '' : `(${waiting}) `}${name} – Signalbox`;
  }, [path, waiting]);
  // A link leads to a page without the search and the moment, which stay.
  useEffect(writeAddress, [path]);
  const shownPath = useRef(path);
  useEffect(() => {
    if (shownPath.current === path) return;
    shownPath.current = path;
    // A screen reader starts to read the new page at its beginning, unless the page has put the focus somewhere itself.
    const main = document.getElementById('main');
    if (main && !main.contains(document.activeElement)) main.focus({ preventScroll: true });
  }, [path]);
  useEffect(
    () => listenForKeys({ pathsByKey: PATHS_BY_KEY, navigate: route, step, present: goLive }),
    [route],
  );
  return (
    <div class="frame" data-past={wanted.value !== null}>
      <a class="skip" href="#main">
        Skip to content
      </a>
      <Navigation path={path} />
      <div class="body">
        <TopBar path={path} />
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrollable area has to be reachable by the keyboard. */}
        <main id="main" tabIndex={0}>
          <Router>
            {PAGES.map(({ path: address, component, title }) => (
              <Route key={address} path={address} component={component} title={title} />
            ))}
            <Route default component={NotFoundPage} />
          </Router>
        </main>
        <TimeBar />
      </div>
      <Notices />
      {isHelpOpen.value && <Help />}
      {isPaletteOpen.value && <Palette />}
    </div>
  );
}
