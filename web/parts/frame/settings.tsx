/** What a user sets for this browser: the name for the log, the theme, and notifications. */
import { notifications } from '../../state/notifications.ts';
import { nextTheme, theme } from '../../state/theme.ts';
import { Dialog } from '../base/dialog.tsx';
import { NameField } from './name-field.tsx';

export function Settings({ onClose }: { readonly onClose: () => void }) {
  return (
    <Dialog title="Settings" onClose={onClose}>
      <div class="form">
        <NameField />
        <div class="actions">
          <button type="button" onClick={nextTheme} title="Light, dark, or the system's theme">
            Theme: {theme.value}
          </button>
          <button
            type="button"
            aria-pressed={notifications.isOn.value}
            onClick={() => void notifications.toggle()}
          >
            Notifications: {notifications.isOn.value ? 'on' : 'off'}
          </button>
        </div>
        <p class="dim">
          With notifications, the browser tells you when something new needs attention while this page is in
          the background.
        </p>
        {notifications.trouble.value !== null && (
          <p class="trouble" role="alert">
            {notifications.trouble.value}
          </p>
        )}
      </div>
    </Dialog>
  );
}
