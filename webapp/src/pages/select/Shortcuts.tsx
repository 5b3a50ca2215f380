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
        <OfSelection />
      </Dialog>
    </>
  );
}

/** The keys on pages where nothing is selected: the question mark shows them there, too. */
export default function AllShortcuts() {
  const t = useTexts(shortcuts);
  return (
    <>
      <Table title={t.onModel} keys={Object.values(t.model)} />
      <OfSelection title={t.selecting} />
    </>
  );
}

function OfSelection({ title }: { title?: string }) {
  const t = useTexts(shortcuts);
  const told = (onPhoto: boolean) =>
    SHORTCUTS.filter((one) => (one.onPhoto ?? false) === onPhoto).map(({ name }) => t.keys[name]);
  return (
    <>
      <Table title={title ?? t.anywhere} keys={told(false)} />
      <Table title={t.onPhoto} keys={told(true)} />
    </>
  );
}

function Table({ title, keys }: { title: string; keys: { shown: string; does: string }[] }) {
  return (
    <section className="shortcuts">
      <h3>{title}</h3>
      <dl>
        {keys.map(({ shown, does }) => (
          <div key={`${shown} ${does}`}>
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
