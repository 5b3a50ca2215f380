/**
 * What pointers do on the photo. A gesture owns its pointers by their ids: what any other pointer
 * does is none of its business. Pure: from a gesture and what happened to the next one.
 */

import type { Size } from "./mask";
import type { Box, Point, Stroke } from "./selection";
import { panBy, toPhoto, type View, zoomAt } from "./view";

export type Tool = "add" | "remove" | "brush" | "erase" | "pan";

/** A pointer and where it was last, on the screen. */
interface Held {
  readonly pointer: number;
  readonly at: Point;
}

/** What is drawn is in the photo's pixels. */
export type Gesture =
  | (Held & { readonly kind: "press"; readonly from: Point; readonly label: 0 | 1 })
  | (Held & { readonly kind: "box"; readonly from: Point; readonly to: Point })
  | (Held & { readonly kind: "brush"; readonly erase: boolean; readonly path: readonly Point[] })
  | (Held & { readonly kind: "pan" })
  | { readonly kind: "pinch"; readonly fingers: readonly [Held, Held] };

/** What a gesture goes by besides its pointers. */
export interface Stage {
  readonly tool: Tool;
  /** The brush's radius in pixels of the screen. */
  readonly brush: number;
  /** Whether the photo is moved, whatever the tool. */
  readonly panning: boolean;
  readonly view: View;
  readonly size: Size;
  readonly photo: Size;
}

/** A pointer that goes down; `button` as in a MouseEvent, `away` where Ctrl turns the click around. */
export interface Press extends Held {
  readonly button: number;
  readonly away: boolean;
}

/** What a gesture came to. */
export type Outcome =
  | { readonly click: Point; readonly label: 0 | 1 }
  | { readonly box: Box }
  | { readonly stroke: Stroke };

/** A pointer that moved less than this has clicked. */
const SLOP = 5;

/** A pointer went down: a gesture begins, or with a second finger becomes a pinch. */
export function pressed(gesture: Gesture | null, press: Press, stage: Stage): Gesture {
  if (gesture?.kind === "pinch") return gesture;
  const { pointer, at } = press;
  if (gesture && gesture.pointer !== pointer) {
    return { kind: "pinch", fingers: [held(gesture), { pointer, at }] };
  }
  if (press.button === 1 || stage.tool === "pan" || stage.panning) {
    return { kind: "pan", pointer, at };
  }
  const from = toPhoto(stage.view, at);
  if (press.button === 2 || press.away) return { kind: "press", pointer, at, from, label: 0 };
  if (stage.tool === "brush" || stage.tool === "erase") {
    return { kind: "brush", pointer, at, erase: stage.tool === "erase", path: [from] };
  }
  return { kind: "press", pointer, at, from, label: stage.tool === "remove" ? 0 : 1 };
}

/** A pointer moved: the gesture that goes on, and what is in sight. */
export function moved(
  gesture: Gesture,
  { pointer, at }: Held,
  { view, size, photo }: Stage,
): { gesture: Gesture; view: View } {
  if (gesture.kind === "pinch") {
    const fingers = gesture.fingers.map((one) =>
      one.pointer === pointer ? { pointer, at } : one,
    ) as unknown as readonly [Held, Held];
    const [before, now] = [spread(gesture.fingers), spread(fingers)];
    // At once: a photo that is wholly in sight cannot be moved before it is enlarged.
    const next = zoomAt(view, now.apart / before.apart, now.at, size, photo, before.at);
    return { gesture: { kind: "pinch", fingers }, view: next };
  }
  if (gesture.pointer !== pointer) return { gesture, view };
  const place = toPhoto(view, at);
  switch (gesture.kind) {
    case "press":
      // A box only adds, so what takes away stays a click.
      if (gesture.label === 0 || distance(gesture.from, place) * view.scale <= SLOP) {
        return { gesture: { ...gesture, at }, view };
      }
      return {
        gesture: {
          kind: "box",
          pointer,
          at,
          from: inside(gesture.from, photo),
          to: inside(place, photo),
        },
        view,
      };
    case "box":
      return { gesture: { ...gesture, at, to: inside(place, photo) }, view };
    case "brush":
      return { gesture: { ...gesture, at, path: [...gesture.path, place] }, view };
    case "pan":
      return {
        gesture: { ...gesture, at },
        view: panBy(view, at.x - gesture.at.x, at.y - gesture.at.y, size, photo),
      };
  }
}

/** A pointer was lifted: what is left of the gesture, and what it came to. */
export function released(
  gesture: Gesture,
  pointer: number,
  { view, brush, photo }: Stage,
): { gesture: Gesture | null; outcome: Outcome | null } {
  const rest = without(gesture, pointer);
  if (rest === gesture || gesture.kind === "pinch") return { gesture: rest, outcome: null };
  return { gesture: null, outcome: outcomeOf(gesture, view.scale, brush, photo) };
}

/** A pointer was taken away: the gesture comes to nothing, and what is left of a pinch moves on. */
export function without(gesture: Gesture, pointer: number): Gesture | null {
  if (gesture.kind !== "pinch") return gesture.pointer === pointer ? null : gesture;
  const stays = gesture.fingers.find((one) => one.pointer !== pointer);
  if (!stays || !gesture.fingers.some((one) => one.pointer === pointer)) return gesture;
  return { kind: "pan", ...stays };
}

function outcomeOf(
  gesture: Exclude<Gesture, { kind: "pinch" }>,
  scale: number,
  brush: number,
  photo: Size,
): Outcome | null {
  switch (gesture.kind) {
    case "press":
      return isInside(gesture.from, photo) ? { click: gesture.from, label: gesture.label } : null;
    case "box": {
      const { from, to } = gesture;
      const least = Math.min(Math.abs(from.x - to.x), Math.abs(from.y - to.y)) * scale;
      return least > SLOP ? { box: { x0: from.x, y0: from.y, x1: to.x, y1: to.y } } : null;
    }
    case "brush": {
      const { erase, path } = gesture;
      return { stroke: { erase, radius: brush / scale, path } };
    }
    case "pan":
      return null;
  }
}

function held({ pointer, at }: Held): Held {
  return { pointer, at };
}

function spread([a, b]: readonly [Held, Held]): { at: Point; apart: number } {
  return {
    at: { x: (a.at.x + b.at.x) / 2, y: (a.at.y + b.at.y) / 2 },
    apart: Math.max(distance(a.at, b.at), 1),
  };
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

export function inside({ x, y }: Point, { width, height }: Size): Point {
  return { x: Math.min(Math.max(x, 0), width), y: Math.min(Math.max(y, 0), height) };
}

/** Whether a place is one of the photo's. */
export function isInside({ x, y }: Point, { width, height }: Size): boolean {
  return x >= 0 && y >= 0 && x < width && y < height;
}
