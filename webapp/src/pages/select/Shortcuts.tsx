import { Keyboard } from "lucide-react";
import type { SelectionMachine } from "../../selection/selecting";
import { SHORTCUTS } from "../../selection/shortcuts";
import { Dialog } from "../../ui/Dialog";
import { useMachine } from "./useMachine";

/** Shows the keys of the selection. */
export function Shortcuts({ machine }: { machine: SelectionMachine }) {
  const open = useMachine(machine, (state) => state.help);
  return (
    <>
      <button
        type="button"
        className="icon-button shortcuts-button"
        aria-label="Shortcuts"
        title="Shortcuts (?)"
        onClick={() => machine.showHelp(true)}
      >
        <Keyboard />
      </button>
      <Dialog open={open} title="Shortcuts" onClose={() => machine.showHelp(false)}>
        <Table title="Anywhere" onPhoto={false} />
        <Table title="With the focus on the photo" onPhoto />
      </Dialog>
    </>
  );
}

function Table({ title, onPhoto }: { title: string; onPhoto: boolean }) {
  return (
    <section className="shortcuts">
      <h3>{title}</h3>
      <dl>
        {SHORTCUTS.filter((one) => (one.onPhoto ?? false) === onPhoto).map(({ shown, does }) => (
          <div key={shown}>
            <dt>
              <kbd>{shown}</kbd>
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
