/** The search, the choice of a project, and a note if the connection is lost. */
import { useLocation } from 'preact-iso';
import { connection, projects } from '../../state/board.ts';
import { project, words } from '../../state/filter.ts';
import { NEW_TASK_PATH } from '../../state/keyboard.ts';
import { mayNow } from '../../state/rights.ts';

export function TopBar({ path }: { readonly path: string }) {
  const { route } = useLocation();
  return (
    <header class="top-bar">
      {connection.value === 'lost' && (
        <p class="lost" role="alert">
          Signalbox does not answer. You see the last known state; the page reconnects by itself.
        </p>
      )}
      <search>
        <form
          class="search"
          onSubmit={(event) => {
            event.preventDefault();
            if (path !== '/ui/tasks') route('/ui/tasks');
          }}
        >
          <label class="visually-hidden" for="search">
            Search tasks
          </label>
          <input
            id="search"
            data-search
            type="search"
            placeholder={
              path === '/ui/board'
                ? 'Filter the board ( / ), Enter: all tasks'
                : 'Search all tasks ( / ), then Enter'
            }
            autocomplete="off"
            value={words.value}
            onInput={(event) => {
              words.value = event.currentTarget.value;
            }}
          />
          <label class="visually-hidden" for="project">
            Project
          </label>
          <select
            id="project"
            value={project.value}
            onChange={(event) => {
              project.value = event.currentTarget.value;
            }}
          >
            <option value="">All projects</option>
            {projects.value.map((each) => (
              <option key={each} value={each}>
                {each}
              </option>
            ))}
          </select>
        </form>
      </search>
      {mayNow('create') && (
        <a
          class="button"
          href={NEW_TASK_PATH}
          aria-keyshortcuts="c"
          aria-label="Create task"
          title="Create task (c)"
        >
          <span aria-hidden="true">+</span> <span class="wide">Create task</span>
        </a>
      )}
    </header>
  );
}
