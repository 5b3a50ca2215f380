/** Pan and zoom. Screen coordinates are CSS pixels from the stage's top left corner. */

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
export function fitView(stage: Size, photo: Size): View {
  const scale = Math.min(stage.width / photo.width, stage.height / photo.height);
  return {
    scale,
    x: (stage.width - photo.width * scale) / 2,
    y: (stage.height - photo.height * scale) / 2,
  };
}

export function toPhoto(view: View, screen: Point): Point {
  return { x: (screen.x - view.x) / view.scale, y: (screen.y - view.y) / view.scale };
}

export function toScreen(view: View, photo: Point): Point {
  return { x: photo.x * view.scale + view.x, y: photo.y * view.scale + view.y };
}

/** Zoom by a factor; what is under `at` stays under it. */
export function zoomAt(view: View, factor: number, at: Point, stage: Size, photo: Size): View {
  const least = fitView(stage, photo).scale;
  const most = Math.max(MAX_SCALE, least * MAX_TIMES);
  const scale = Math.min(Math.max(view.scale * factor, least), most);
  const fixed = toPhoto(view, at);
  return keepInSight({ scale, x: at.x - fixed.x * scale, y: at.y - fixed.y * scale }, stage, photo);
}

export function panBy(view: View, dx: number, dy: number, stage: Size, photo: Size): View {
  return keepInSight({ ...view, x: view.x + dx, y: view.y + dy }, stage, photo);
}

/** Pan just so far that a point of the photo is on the stage. */
export function showPoint(view: View, point: Point, stage: Size, photo: Size): View {
  const { x, y } = toScreen(view, point);
  return panBy(view, inwards(x, stage.width), inwards(y, stage.height), stage, photo);
}

/** How far something has to move to be on the stage, and not quite at its edge. */
function inwards(at: number, room: number): number {
  const edge = Math.min(MARGIN, room) / 2;
  return Math.min(Math.max(at, edge), room - edge) - at;
}

/** Centre what is smaller than the stage; of what is larger keep some on the stage. */
function keepInSight(view: View, stage: Size, photo: Size): View {
  return {
    scale: view.scale,
    x: along(view.x, photo.width * view.scale, stage.width),
    y: along(view.y, photo.height * view.scale, stage.height),
  };
}

function along(offset: number, length: number, room: number): number {
  if (length <= room) return (room - length) / 2;
  return Math.min(Math.max(offset, room - length - MARGIN), MARGIN);
}
