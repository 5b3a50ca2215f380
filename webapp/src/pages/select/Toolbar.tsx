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
import { type Choice, Segmented } from "../../ui/Segmented";
import { Shortcuts } from "./Shortcuts";
import { useMachine } from "./useMachine";

const TOOLS: readonly Choice<Tool>[] = [
  { value: "add", label: "Add", icon: <MousePointerClick />, hint: "Click what belongs to it (A)" },
  {
    value: "remove",
    label: "Remove",
    icon: <SquareMinus />,
    hint: "Click what does not belong to it (R, or the right button)",
  },
  { value: "brush", label: "Brush", icon: <Brush />, hint: "Paint the mask (B)" },
  { value: "erase", label: "Erase", icon: <Eraser />, hint: "Rub the mask out (E)" },
  { value: "pan", label: "Move", icon: <Hand />, hint: "Move the photo (H, or hold Space)" },
];

export function Toolbar({ machine }: { machine: SelectionMachine }) {
  const tool = useMachine(machine, (state) => state.tool);
  const brush = useMachine(machine, (state) => state.brush);
  const history = useMachine(machine, (state) => state.history);
  const brushing = tool === "brush" || tool === "erase";
  return (
    <div className="toolbar" role="toolbar" aria-label="Selection tools">
      <Segmented
        legend="Tool"
        choices={TOOLS}
        value={tool}
        onChange={(chosen) => machine.take(chosen)}
      />
      {brushing && (
        <label className="brush-size">
          <span>Size</span>
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
        <Command name="Undo" disabled={history.past.length === 0} onClick={machine.undo}>
          <Undo2 />
        </Command>
        <Command name="Redo" disabled={history.future.length === 0} onClick={machine.redo}>
          <Redo2 />
        </Command>
        <Command
          name="Clear this object"
          disabled={isEmpty(activeObject(history.present))}
          onClick={() => machine.act({ type: "clear" })}
        >
          <Trash2 />
        </Command>
      </div>
      <div className="toolbar-group">
        <Command name="Zoom out" onClick={() => machine.zoomOut()}>
          <ZoomOut />
        </Command>
        <Command name="Zoom in" onClick={() => machine.zoomIn()}>
          <ZoomIn />
        </Command>
        <Command name="Whole photo" onClick={() => machine.wholePhoto()}>
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
