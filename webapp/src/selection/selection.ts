/**
 * What a person has selected: pure data, so that it can be undone, stored and tested. Coordinates
 * are pixels of the upright photo, x right, y down, continuous (a pixel's centre is at .5).
 */

import { MAX_NAME, MAX_OBJECTS } from "../api/domain";
import { select } from "../texts/en/select";
import { texts } from "../texts/texts";

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Label 1 says "this belongs to the object", 0 "this does not". */
export interface Click extends Point {
  readonly label: 0 | 1;
}

/** Corners, the first above and left of the second. */
export interface Box {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

/** A line drawn with a round brush, laid over the decoded mask. */
export interface Stroke {
  readonly erase: boolean;
  readonly radius: number;
  readonly path: readonly Point[];
}

export interface SelectedObject {
  readonly id: number;
  readonly name: string;
  readonly clicks: readonly Click[];
  readonly box: Box | null;
  /** Which of the masks that were found by the job's text the clicks refine. */
  readonly found: number | null;
  /** The mask that the person preferred to the proposed one. */
  readonly candidate: number | null;
  readonly strokes: readonly Stroke[];
}

export interface Selection {
  readonly objects: readonly SelectedObject[];
  readonly activeId: number;
  readonly nextId: number;
}

export type Action =
  | { type: "click"; click: Click }
  | { type: "removeClick"; index: number }
  | { type: "box"; box: Box }
  | { type: "found"; index: number; name: string }
  | { type: "candidate"; index: number }
  | { type: "stroke"; stroke: Stroke }
  | { type: "clear" }
  | { type: "addObject" }
  | { type: "removeObject"; id: number }
  | { type: "rename"; id: number; name: string }
  | { type: "activate"; id: number };

/** A selection of nothing yet: one object, empty. */
export function emptySelection(): Selection {
  return { objects: [emptyObject(1)], activeId: 1, nextId: 2 };
}

function emptyObject(id: number): SelectedObject {
  return {
    id,
    name: texts(select).object(id),
    clicks: [],
    box: null,
    found: null,
    candidate: null,
    strokes: [],
  };
}

/** The object that clicks go to. */
export function activeObject(selection: Selection): SelectedObject {
  const found = selection.objects.find((object) => object.id === selection.activeId);
  if (!found) throw new Error("A selection always has an active object.");
  return found;
}

/** Whether nothing has been done to the object. */
export function isEmpty(object: SelectedObject): boolean {
  return !isPrompted(object) && object.strokes.length === 0;
}

/** Whether there is anything for the decoder to go by. */
export function isPrompted(object: SelectedObject): boolean {
  return object.clicks.length > 0 || object.box !== null || object.found !== null;
}

/** The selection after an action; the same one where the action changes nothing. */
export function reduce(selection: Selection, action: Action): Selection {
  switch (action.type) {
    case "addObject": {
      if (selection.objects.length >= MAX_OBJECTS) return selection;
      const id = selection.nextId;
      return {
        objects: [...selection.objects, emptyObject(id)],
        activeId: id,
        nextId: id + 1,
      };
    }
    case "removeObject":
      return removeObject(selection, action.id);
    case "activate":
      if (action.id === selection.activeId) return selection;
      if (!selection.objects.some((object) => object.id === action.id)) return selection;
      return { ...selection, activeId: action.id };
    case "rename": {
      const name = action.name.slice(0, MAX_NAME);
      return change(selection, action.id, (object) =>
        object.name === name ? object : { ...object, name },
      );
    }
    default:
      return change(selection, selection.activeId, (object) => edit(object, action));
  }
}

type Edit = Exclude<
  Action,
  { type: "addObject" } | { type: "removeObject" } | { type: "activate" } | { type: "rename" }
>;

/** New prompts make the decoder answer anew, so a preferred candidate no longer stands. */
function edit(object: SelectedObject, action: Edit): SelectedObject {
  switch (action.type) {
    case "click":
      return { ...object, clicks: [...object.clicks, action.click], candidate: null };
    case "removeClick":
      if (!object.clicks[action.index]) return object;
      return {
        ...object,
        clicks: object.clicks.filter((_, index) => index !== action.index),
        candidate: null,
      };
    case "box":
      return { ...object, box: upright(action.box), candidate: null };
    case "found":
      return {
        ...emptyObject(object.id),
        name: object.name === emptyObject(object.id).name ? action.name : object.name,
        found: action.index,
      };
    case "candidate":
      return object.candidate === action.index ? object : { ...object, candidate: action.index };
    case "stroke":
      return action.stroke.path.length === 0
        ? object
        : { ...object, strokes: [...object.strokes, action.stroke] };
    case "clear":
      return isEmpty(object) ? object : { ...emptyObject(object.id), name: object.name };
  }
}

function change(
  selection: Selection,
  id: number,
  how: (object: SelectedObject) => SelectedObject,
): Selection {
  const before = selection.objects.find((object) => object.id === id);
  if (!before) return selection;
  const after = how(before);
  if (after === before) return selection;
  return {
    ...selection,
    objects: selection.objects.map((object) => (object === before ? after : object)),
  };
}

function removeObject(selection: Selection, id: number): Selection {
  const index = selection.objects.findIndex((object) => object.id === id);
  if (index < 0) return selection;
  const objects = selection.objects.filter((object) => object.id !== id);
  if (objects.length === 0) {
    return {
      objects: [emptyObject(selection.nextId)],
      activeId: selection.nextId,
      nextId: selection.nextId + 1,
    };
  }
  const neighbour = objects[Math.min(index, objects.length - 1)] as SelectedObject;
  return {
    ...selection,
    objects,
    activeId: selection.activeId === id ? neighbour.id : selection.activeId,
  };
}

function upright({ x0, y0, x1, y1 }: Box): Box {
  return {
    x0: Math.min(x0, x1),
    y0: Math.min(y0, y1),
    x1: Math.max(x0, x1),
    y1: Math.max(y0, y1),
  };
}
