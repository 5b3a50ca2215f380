/** Pan and zoom. Screen coordinates are CSS pixels from the viewport's top left corner. */

import type { Size } from "./mask";
import type { Point } from "./selection";

/** A photo pixel p is shown at `p · scale + offset`. */
export interface View {
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

/** How far one may zoom in: screen pixels per photo pixel, or so many times the fitted size. */
const MAX_SCALE = 8;
const MAX_TIMES = 12;
const MARGIN = 48;

/** The whole photo, centred. */
export function fitView(viewport: Size, photo: Size): View {
  const scale = Math.min(viewport.width / photo.width, viewport.height / photo.height);
  return {
    scale,
    x: (viewport.width - photo.width * scale) / 2,
    y: (viewport.height - photo.height * scale) / 2,
  };
}

export function toPhoto(view: View, screen: Point): Point {
  return { x: (screen.x - view.x) / view.scale, y: (screen.y - view.y) / view.scale };
}

export function toScreen(view: View, photo: Point): Point {
  return { x: photo.x * view.scale + view.x, y: photo.y * view.scale + view.y };
}

/** Zoom by a factor; what is under `at`, or was under `from`, is under it then. */
export function zoomAt(
  view: View,
  factor: number,
  at: Point,
  viewport: Size,
  photo: Size,
  from = at,
): View {
  const least = fitView(viewport, photo).scale;
  const most = Math.max(MAX_SCALE, least * MAX_TIMES);
  const scale = Math.min(Math.max(view.scale * factor, least), most);
  const fixed = toPhoto(view, from);
  return keepInSight(
    { scale, x: at.x - fixed.x * scale, y: at.y - fixed.y * scale },
    viewport,
    photo,
  );
}

/** What a pixel of a wheel, a line of one, and a pixel of a pinch on a trackpad make of the scale. */
const PER_PIXEL = 0.0016;
const PER_LINE = 0.05;
const PER_PINCH = 0.01;
/** Ctrl with a wheel looks the same as a pinch, and a notch has a hundred pixels. */
const MOST_PINCHED = 25;

/** How much nearer the wheel takes; browsers tell of a trackpad's pinch as of one with Ctrl held. */
export function wheelFactor({
  deltaY,
  deltaMode,
  ctrlKey,
}: Pick<WheelEvent, "deltaY" | "deltaMode" | "ctrlKey">): number {
  if (deltaMode === 1) return Math.exp(-deltaY * PER_LINE);
  if (!ctrlKey) return Math.exp(-deltaY * PER_PIXEL);
  const pinched = Math.min(Math.max(deltaY, -MOST_PINCHED), MOST_PINCHED);
  return Math.exp(-pinched * PER_PINCH);
}

export function panBy(view: View, dx: number, dy: number, viewport: Size, photo: Size): View {
  return keepInSight({ ...view, x: view.x + dx, y: view.y + dy }, viewport, photo);
}

/** Pan just so far that a point of the photo is in the viewport. */
export function showPoint(view: View, point: Point, viewport: Size, photo: Size): View {
  const { x, y } = toScreen(view, point);
  return panBy(view, inwards(x, viewport.width), inwards(y, viewport.height), viewport, photo);
}

/** How far something has to move to be in the viewport, and not quite at its edge. */
function inwards(at: number, room: number): number {
  const edge = Math.min(MARGIN, room) / 2;
  return Math.min(Math.max(at, edge), room - edge) - at;
}

/** Centre what is smaller than the viewport; of what is larger keep some in the viewport. */
function keepInSight(view: View, viewport: Size, photo: Size): View {
  return {
    scale: view.scale,
    x: along(view.x, photo.width * view.scale, viewport.width),
    y: along(view.y, photo.height * view.scale, viewport.height),
  };
}

function along(offset: number, length: number, room: number): number {
  if (length <= room) return (room - length) / 2;
  return Math.min(Math.max(offset, room - length - MARGIN), MARGIN);
}
