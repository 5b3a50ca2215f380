import { Keyboard } from "lucide-react";
import type { SelectionMachine } from "../../selection/selecting";
import { SHORTCUTS } from "../../selection/shortcuts";
import { shortcuts } from "../../texts/en/shortcuts";
import { useTexts } from "../../texts/texts";
import { Dialog } from "../../ui/Dialog";
import { useMachine } from "./useMachine";

/** Shows the keys of the selection. */
export function Shortcuts({ machine }: { machine: SelectionMachine }) {
  const t = useTexts(shortcuts);
  const open = useMachine(machine, (state) => state.help);
  return (
    <>
      <button
        type="button"
        className="icon-button shortcuts-button"
        aria-label={t.title}
        title={t.button}
        onClick={() => machine.showHelp(true)}
      >
        <Keyboard />
      </button>
      <Dialog open={open} title={t.title} onClose={() => machine.showHelp(false)}>
        <Table title={t.anywhere} onPhoto={false} />
        <Table title={t.onPhoto} onPhoto />
      </Dialog>
    </>
  );
}

function Table({ title, onPhoto }: { title: string; onPhoto: boolean }) {
  const { keys } = useTexts(shortcuts);
  return (
    <section className="shortcuts">
      <h3>{title}</h3>
      <dl>
        {SHORTCUTS.filter((one) => (one.onPhoto ?? false) === onPhoto).map(({ name }) => (
          <div key={name}>
            <dt>
              <kbd>{keys[name].shown}</kbd>
            </dt>
            <dd>{keys[name].does}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
