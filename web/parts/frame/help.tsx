import { isHelpOpen, SHORTCUTS } from '../../state/keyboard.ts';
import { Dialog } from '../base/dialog.tsx';

export function Help() {
  return (
    <Dialog
      title="Keys"
      onClose={() => {
        isHelpOpen.value = false;
      }}
    >
      <dl class="keys">
        {SHORTCUTS.map(({ keys, label }) => (
          <div key={label}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{label}</dd>
          </div>
        ))}
      </dl>
      <p class="dim">
        The slider at the foot of the page takes all of it back to any past moment. The API behind this page
        is described at <a href="/docs">/docs</a>.
      </p>
    </Dialog>
  );
}
