import { type RefObject, useEffect } from "react";
import type { Zoom } from "./PhotoViewport";
import type { Tool } from "./useGestures";
import type { SelectionTools } from "./useSelection";

const TOOLS: Record<string, Tool> = { a: "add", r: "remove", b: "brush", e: "erase", h: "pan" };

interface What {
  tools: SelectionTools;
  setTool(tool: Tool): void;
  zoom: RefObject<Zoom | null>;
}

/** Keys that work wherever the focus is, except where one types. */
export function useShortcuts({ tools, setTool, zoom }: What): void {
  useEffect(() => {
    function press(event: KeyboardEvent): void {
      if ((event.target as Element).closest("input:not([type=radio]), textarea, dialog")) return;
      const key = event.key.toLowerCase();
      if (event.ctrlKey || event.metaKey) {
        if (key === "z" && event.shiftKey) tools.redo();
        else if (key === "z") tools.undo();
        else if (key === "y") tools.redo();
        else return;
      } else if (event.altKey) return;
      else if (TOOLS[key]) setTool(TOOLS[key]);
      else if (key === "n") tools.act({ type: "addObject" });
      else if (key === "delete") tools.act({ type: "clear" });
      else if (key === "+" || key === "=") zoom.current?.by(1.4);
      else if (key === "-") zoom.current?.by(1 / 1.4);
      else if (key === "0") zoom.current?.reset();
      else if (/^[1-8]$/.test(key)) {
        const object = tools.selection.objects[Number(key) - 1];
        if (object) tools.act({ type: "activate", id: object.id });
      } else return;
      event.preventDefault();
    }
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, [tools, setTool, zoom]);
}
