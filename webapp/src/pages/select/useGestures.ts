import {
  type Dispatch,
  type KeyboardEvent,
  type PointerEvent,
  type RefObject,
  type SetStateAction,
  type TouchEvent,
  useEffect,
  useRef,
  useState,
} from "react";
import type { Size } from "../../selection/mask";
import type { Box, Point, Stroke } from "../../selection/selection";
import { panBy, showPoint, toPhoto, type View, zoomAt } from "../../selection/view";

export type Tool = "add" | "remove" | "brush" | "erase" | "pan";

export interface ViewportActions {
  tool: Tool;
  /** The brush's radius in pixels of the screen. */
  brush: number;
  onClick(point: Point, label: 0 | 1): void;
  onBox(box: Box): void;
  onStroke(stroke: Stroke): void;
  onRemoveClick(index: number): void;
}

/** What the pointers are about. Points are of the photo, except in a pan. */
export type Gesture =
  | { kind: "press"; at: Point; label: 0 | 1 }
  | { kind: "box"; from: Point; to: Point }
  | { kind: "brush"; path: readonly Point[] }
  | { kind: "pan"; at: Point }
  | { kind: "pinch"; at: Point; distance: number };

/** What lies over the photo and takes its pointers for itself. */
const APART = "button, .better";
/** A pointer that moved less than this has clicked. */
const SLOP = 5;
const ARROWS: Record<string, readonly [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** Turns pointers, wheel and keys on the viewport into a view and into actions. */
export function useGestures(
  viewport: RefObject<HTMLDivElement | null>,
  size: Size,
  view: View,
  setView: Dispatch<SetStateAction<View>>,
  { photo, ...actions }: ViewportActions & { photo: Size },
) {
  const [gesture, setGesture] = useState<Gesture | null>(null);
  const [cursor, setCursor] = useState<Point | null>(null);
  const pointers = useRef(new Map<number, Point>());
  const spaceHeld = useRef(false);

  useEffect(() => {
    const element = viewport.current;
    if (!element) return;
    const wheel = (event: WheelEvent) => {
      event.preventDefault();
      const at = place(element, event);
      const factor = Math.exp(-event.deltaY * (event.deltaMode === 1 ? 0.05 : 0.0016));
      setView((before) => zoomAt(before, factor, at, size, photo));
    };
    // React listens passively, and a passive listener cannot keep the page from scrolling.
    element.addEventListener("wheel", wheel, { passive: false });
    return () => element.removeEventListener("wheel", wheel);
  }, [viewport, size, photo, setView]);

  function down(event: PointerEvent<HTMLDivElement>): void {
    if ((event.target as Element).closest(APART)) return;
    setCursor(null);
    event.currentTarget.setPointerCapture(event.pointerId);
    const at = place(event.currentTarget, event);
    pointers.current.set(event.pointerId, at);
    if (pointers.current.size === 2) setGesture({ kind: "pinch", ...pinch(pointers.current) });
    else if (pointers.current.size === 1) setGesture(begin(event, at));
  }

  function begin(event: PointerEvent, at: Point): Gesture | null {
    const { tool } = actions;
    if (event.button === 1 || tool === "pan" || spaceHeld.current) return { kind: "pan", at };
    const point = toPhoto(view, at);
    if (event.button === 2 || event.ctrlKey) return { kind: "press", at: point, label: 0 };
    if (tool === "brush" || tool === "erase") return { kind: "brush", path: [point] };
    return { kind: "press", at: point, label: tool === "remove" ? 0 : 1 };
  }

  function move(event: PointerEvent<HTMLDivElement>): void {
    if (!pointers.current.has(event.pointerId) || !gesture) return;
    const at = place(event.currentTarget, event);
    pointers.current.set(event.pointerId, at);
    const point = inside(toPhoto(view, at), photo);
    switch (gesture.kind) {
      case "press":
        // A box only adds, so what takes away stays a click.
        if (gesture.label === 1 && distance(gesture.at, toPhoto(view, at)) * view.scale > SLOP) {
          setGesture({ kind: "box", from: inside(gesture.at, photo), to: point });
        }
        break;
      case "box":
        setGesture({ ...gesture, to: point });
        break;
      case "brush":
        setGesture({ kind: "brush", path: [...gesture.path, toPhoto(view, at)] });
        break;
      case "pan":
        setView((before) => panBy(before, at.x - gesture.at.x, at.y - gesture.at.y, size, photo));
        setGesture({ kind: "pan", at });
        break;
      case "pinch": {
        const next = pinch(pointers.current);
        setView((before) => {
          const moved = panBy(
            before,
            next.at.x - gesture.at.x,
            next.at.y - gesture.at.y,
            size,
            photo,
          );
          return zoomAt(moved, next.distance / gesture.distance, next.at, size, photo);
        });
        setGesture({ kind: "pinch", ...next });
        break;
      }
    }
  }

  function up(event: PointerEvent<HTMLDivElement>): void {
    if (!pointers.current.delete(event.pointerId) || !gesture) return;
    setGesture(null);
    if (event.type === "pointercancel") return;
    if (gesture.kind === "press" && isInside(gesture.at, photo)) {
      actions.onClick(gesture.at, gesture.label);
    } else if (gesture.kind === "box") {
      const { from, to } = gesture;
      if (Math.min(Math.abs(from.x - to.x), Math.abs(from.y - to.y)) * view.scale > SLOP) {
        actions.onBox({ x0: from.x, y0: from.y, x1: to.x, y1: to.y });
      }
    } else if (gesture.kind === "brush") {
      const radius = actions.brush / view.scale;
      actions.onStroke({ erase: actions.tool === "erase", radius, path: gesture.path });
    }
  }

  function keyDown(event: KeyboardEvent<HTMLDivElement>): void {
    if (event.target !== event.currentTarget) return;
    const arrow = ARROWS[event.key];
    const at = cursor ?? toPhoto(view, { x: size.width / 2, y: size.height / 2 });
    if (arrow) {
      const step = (event.shiftKey ? 40 : 10) / view.scale;
      const next = inside({ x: at.x + arrow[0] * step, y: at.y + arrow[1] * step }, photo);
      setCursor(next);
      setView((before) => showPoint(before, next, size, photo));
    } else if (event.key === "Enter") {
      setCursor(at);
      actions.onClick(at, actions.tool === "remove" ? 0 : 1);
    } else if (event.key === "Backspace") {
      setCursor(at);
      actions.onClick(at, 0);
    } else if (event.key === " ") {
      spaceHeld.current = true;
    } else if (event.key === "Escape") {
      setGesture(null);
      setCursor(null);
    } else return;
    event.preventDefault();
  }

  const handlers = {
    onPointerDown: down,
    onPointerMove: move,
    onPointerUp: up,
    onPointerCancel: up,
    // Or else the click that browsers make of a tap would fall on the point that the tap has made.
    onTouchEnd: (event: TouchEvent) => {
      if (!(event.target as Element).closest(APART)) event.preventDefault();
    },
    onContextMenu: (event: { preventDefault(): void }) => event.preventDefault(),
    onKeyDown: keyDown,
    onKeyUp: (event: KeyboardEvent) => {
      if (event.key === " ") spaceHeld.current = false;
    },
    onBlur: () => {
      spaceHeld.current = false;
    },
  };
  return { gesture, cursor, handlers };
}

/** From the window's coordinates to the viewport's. */
function place(
  viewport: Element,
  { clientX, clientY }: { clientX: number; clientY: number },
): Point {
  const { left, top } = viewport.getBoundingClientRect();
  return { x: clientX - left, y: clientY - top };
}

function pinch(pointers: ReadonlyMap<number, Point>): { at: Point; distance: number } {
  const [a, b] = [...pointers.values()] as [Point, Point];
  return {
    at: { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 },
    distance: Math.max(distance(a, b), 1),
  };
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

function inside({ x, y }: Point, { width, height }: Size): Point {
  return { x: Math.min(Math.max(x, 0), width), y: Math.min(Math.max(y, 0), height) };
}

function isInside({ x, y }: Point, { width, height }: Size): boolean {
  return x >= 0 && y >= 0 && x < width && y < height;
}
