/** The frame of every page: where to go, what is looked for, which moment is shown. */
import { useSignalEffect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { LocationProvider, Route, Router, useLocation } from 'preact-iso';
import { AgentPage } from './pages/agent.tsx';
import { AgentsPage } from './pages/agents.tsx';
import { AttemptPage } from './pages/attempt.tsx';
import { AttentionPage } from './pages/attention.tsx';
import { AuditPage } from './pages/audit.tsx';
import { BoardPage } from './pages/board.tsx';
import { DeadLettersPage } from './pages/dead-letters.tsx';
import { LoginPage } from './pages/login.tsx';
import { MachinesPage } from './pages/machines.tsx';
import { NotFoundPage } from './pages/not-found.tsx';
import { QueuesPage } from './pages/queues.tsx';
import { TaskPage } from './pages/task.tsx';
import { ThroughputPage } from './pages/throughput.tsx';
import { Notices } from './parts/base/notices.tsx';
import { Help } from './parts/frame/help.tsx';
import { Navigation } from './parts/frame/navigation.tsx';
import { step, TimeBar } from './parts/frame/time-bar.tsx';
import { TopBar } from './parts/frame/top-bar.tsx';
import { attentionCount } from './state/attention.ts';
import { isHelpOpen, listenForKeys } from './state/keyboard.ts';
import { goLive, wanted } from './state/past.ts';
import { session } from './state/session.ts';

export function App() {
  if (session.isLocked.value) return <LoginPage />;
  return (
    <LocationProvider scope="/ui">
      <Frame />
    </LocationProvider>
  );
}

function Frame() {
  const { route, path } = useLocation();
  useSignalEffect(() => {
    const waiting = attentionCount.value;
    document.title = waiting === 0 ? 'Signalbox' : `(${waiting}) Signalbox`;
  });
  const shownPath = useRef(path);
  useEffect(() => {
    if (shownPath.current === path) return;
    shownPath.current = path;
    // Whoever listens instead of looking hears the new page from its beginning.
    document.getElementById('main')?.focus({ preventScroll: true });
  }, [path]);
  useEffect(() => listenForKeys({ navigate: route, step, present: goLive }), [route]);
  return (
    <div class="frame" data-past={wanted.value !== null}>
      <a class="skip" href="#main">
        To the content
      </a>
      <Navigation path={path} />
      <div class="body">
        <TopBar path={path} />
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by the keyboard. */}
        <main id="main" tabIndex={0}>
          <Router>
            <Route path="/ui/" component={AttentionPage} />
            <Route path="/ui/board" component={BoardPage} />
            <Route path="/ui/projects/:project/tasks/:task" component={TaskPage} />
            <Route path="/ui/projects/:project/tasks/:task/attempts/:attempt" component={AttemptPage} />
            <Route path="/ui/agents" component={AgentsPage} />
            <Route path="/ui/agents/:agent" component={AgentPage} />
            <Route path="/ui/queues" component={QueuesPage} />
            <Route path="/ui/dead-letters" component={DeadLettersPage} />
            <Route path="/ui/throughput" component={ThroughputPage} />
            <Route path="/ui/audit" component={AuditPage} />
            <Route path="/ui/machines" component={MachinesPage} />
            <Route default component={NotFoundPage} />
          </Router>
        </main>
        <TimeBar />
      </div>
      <Notices />
      {isHelpOpen.value && <Help />}
    </div>
  );
}
