import {
  Brush,
  Eraser,
  Hand,
  Maximize,
  MousePointerClick,
  Redo2,
  SquareMinus,
  Trash2,
  Undo2,
  ZoomIn,
  ZoomOut,
} from "lucide-react";
import type { ReactNode } from "react";
import type { Tool } from "../../selection/gestures";
import type { SelectionMachine } from "../../selection/selecting";
import { activeObject, isEmpty } from "../../selection/selection";
import { select as said } from "../../texts/en/select";
import { useTexts } from "../../texts/texts";
import { Segmented } from "../../ui/Segmented";
import { Shortcuts } from "./Shortcuts";
import { useMachine } from "./useMachine";

const TOOLS: readonly { readonly value: Tool; readonly icon: ReactNode }[] = [
  { value: "add", icon: <MousePointerClick /> },
  { value: "remove", icon: <SquareMinus /> },
  { value: "brush", icon: <Brush /> },
  { value: "erase", icon: <Eraser /> },
  { value: "pan", icon: <Hand /> },
];

export function Toolbar({ machine }: { machine: SelectionMachine }) {
  const t = useTexts(said);
  const tool = useMachine(machine, (state) => state.tool);
  const brush = useMachine(machine, (state) => state.brush);
  const history = useMachine(machine, (state) => state.history);
  const brushing = tool === "brush" || tool === "erase";
  return (
    <div className="toolbar" role="toolbar" aria-label={t.tools}>
      <Segmented
        legend={t.toolLegend}
        choices={TOOLS.map((one) => ({ ...one, ...t.toolbar[one.value] }))}
        value={tool}
        onChange={(chosen) => machine.take(chosen)}
      />
      {brushing && (
        <label className="brush-size">
          <span>{t.size}</span>
          <input
            type="range"
            min={3}
            max={60}
            value={brush}
            onChange={(event) => machine.sizeBrush(event.target.valueAsNumber)}
          />
        </label>
      )}
      <div className="toolbar-group">
        <Command name={t.undo} disabled={history.past.length === 0} onClick={machine.undo}>
          <Undo2 />
        </Command>
        <Command name={t.redo} disabled={history.future.length === 0} onClick={machine.redo}>
          <Redo2 />
        </Command>
        <Command
          name={t.clear}
          disabled={isEmpty(activeObject(history.present))}
          onClick={() => machine.act({ type: "clear" })}
        >
          <Trash2 />
        </Command>
      </div>
      <div className="toolbar-group">
        <Command name={t.zoomOut} onClick={() => machine.zoomOut()}>
          <ZoomOut />
        </Command>
        <Command name={t.zoomIn} onClick={() => machine.zoomIn()}>
          <ZoomIn />
        </Command>
        <Command name={t.wholePhoto} onClick={() => machine.wholePhoto()}>
          <Maximize />
        </Command>
        <Shortcuts machine={machine} />
      </div>
    </div>
  );
}

interface CommandProps {
  name: string;
  disabled?: boolean;
  onClick(): void;
  children: ReactNode;
}

function Command({ name, disabled, onClick, children }: CommandProps) {
  return (
    <button
      type="button"
      className="icon-button"
      aria-label={name}
      title={name}
      disabled={disabled}
      onClick={onClick}
    >
      {children}
    </button>
  );
}
