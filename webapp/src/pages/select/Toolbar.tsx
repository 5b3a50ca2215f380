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
import type { ReactNode, RefObject } from "react";
import { activeObject, isEmpty } from "../../selection/selection";
import { type Choice, Segmented } from "../../ui/Segmented";
import type { Zoom } from "./PhotoViewport";
import type { Tool } from "./useGestures";
import type { SelectionTools } from "./useSelection";

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

interface Props {
  tool: Tool;
  setTool(tool: Tool): void;
  brush: number;
  setBrush(radius: number): void;
  tools: SelectionTools;
  zoom: RefObject<Zoom | null>;
}

export function Toolbar({ tool, setTool, brush, setBrush, tools, zoom }: Props) {
  const { history, act } = tools;
  const brushing = tool === "brush" || tool === "erase";
  return (
    <div className="toolbar" role="toolbar" aria-label="Selection tools">
      <Segmented legend="Tool" choices={TOOLS} value={tool} onChange={setTool} />
      {brushing && (
        <label className="brush-size">
          <span>Size</span>
          <input
            type="range"
            min={3}
            max={60}
            value={brush}
            onChange={(event) => setBrush(event.target.valueAsNumber)}
          />
        </label>
      )}
      <div className="toolbar-group">
        <Command name="Undo" disabled={history.past.length === 0} onClick={tools.undo}>
          <Undo2 />
        </Command>
        <Command name="Redo" disabled={history.future.length === 0} onClick={tools.redo}>
          <Redo2 />
        </Command>
        <Command
          name="Clear this object"
          disabled={isEmpty(activeObject(history.present))}
          onClick={() => act({ type: "clear" })}
        >
          <Trash2 />
        </Command>
      </div>
      <div className="toolbar-group">
        <Command name="Zoom out" onClick={() => zoom.current?.by(1 / 1.4)}>
          <ZoomOut />
        </Command>
        <Command name="Zoom in" onClick={() => zoom.current?.by(1.4)}>
          <ZoomIn />
        </Command>
        <Command name="Whole photo" onClick={() => zoom.current?.reset()}>
          <Maximize />
        </Command>
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
