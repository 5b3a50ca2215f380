/** The browser's events on the photo and in its window, as the selection wants to hear of them. */

import { TYPED } from "../ui/typed";
import type { SelectionMachine } from "./selecting";
import type { Point } from "./selection";
import { shortcutOf } from "./shortcuts";
import { wheelFactor } from "./view";

/** What lies over the photo and takes its pointers for itself. */
const APART = "button, .better";
/** What the space bar presses. */
const PRESSED = "a, button, input, summary";

/** A mouse that has not moved for so long rests. */
const RESTS_MS = 60;

/** Have the selection hear of everything; returns what ends that, and keeps what is not kept yet. */
export function listen(machine: SelectionMachine, viewport: HTMLElement): () => void {
  const end = new AbortController();
  const { signal } = end;
  /** Whether the focus came to where it is by the Tab key: then the space bar is its own. */
  let tabbed = false;

  const measure = () => {
    const { clientWidth, clientHeight } = viewport;
    machine.resize({ width: clientWidth || 1, height: clientHeight || 1 });
  };
  const place = ({ clientX, clientY }: MouseEvent): Point => {
    const { left, top } = viewport.getBoundingClientRect();
    return { x: clientX - left, y: clientY - top };
  };
  const isApart = ({ target }: Event) => (target as Element).closest(APART) !== null;

  measure();
  const observer = new ResizeObserver(measure);
  observer.observe(viewport);

  let resting: ReturnType<typeof setTimeout> | undefined;
  let last: Point | null = null;
  const rests = (at: Point | null) => {
    // A browser tells of a mouse that has not moved, too, when something appears under it.
    if (at && last && at.x === last.x && at.y === last.y) return;
    last = at ?? last;
    clearTimeout(resting);
    machine.rest(null);
    if (at) resting = setTimeout(() => machine.rest(at), RESTS_MS);
  };

  viewport.addEventListener(
    "pointerdown",
    (event) => {
      clearTimeout(resting);
      if (isApart(event)) return;
      viewport.setPointerCapture(event.pointerId);
      const { pointerId: pointer, button, ctrlKey: away } = event;
      machine.press({ pointer, at: place(event), button, away });
    },
    { signal },
  );
  viewport.addEventListener(
    "pointermove",
    (event) => {
      // One event may stand for several places that the pointer has been at.
      const all = event.getCoalescedEvents?.() ?? [];
      machine.move(event.pointerId, (all.length > 0 ? all : [event]).map(place));
      if (event.pointerType === "mouse")
        rests(event.buttons || isApart(event) ? null : place(event));
    },
    { signal },
  );
  viewport.addEventListener("pointerup", ({ pointerId }) => machine.release(pointerId), { signal });
  viewport.addEventListener("pointerleave", () => rests(null), { signal });
  viewport.addEventListener("pointercancel", ({ pointerId }) => machine.cancel(pointerId), {
    signal,
  });
  viewport.addEventListener(
    "wheel",
    (event) => {
      prevent(event);
      machine.zoom(wheelFactor(event), place(event));
    },
    { signal, passive: false },
  );
  // Or else the click that browsers make of a tap would fall on the point that the tap has made.
  viewport.addEventListener("touchend", (event) => !isApart(event) && prevent(event), {
    signal,
    passive: false,
  });
  viewport.addEventListener("contextmenu", prevent, { signal });

  const heard = (event: KeyboardEvent) => {
    const target = event.target as Element;
    if (event.defaultPrevented || target.closest?.(TYPED)) return undefined;
    if (event.key === " " && tabbed && target.closest?.(PRESSED)) return undefined;
    return shortcutOf(event, target === viewport);
  };
  window.addEventListener(
    "keydown",
    (event) => {
      if (event.key === "Tab") tabbed = true;
      const shortcut = heard(event);
      if (!shortcut) return;
      prevent(event);
      shortcut.run(machine, event);
    },
    { signal },
  );
  window.addEventListener(
    "keyup",
    (event) => {
      // Wherever the focus is by now: a key that is let go is held no more.
      if (event.key !== " " || !machine.now.panning) return;
      // A button is pressed when the space bar is let go.
      prevent(event);
      machine.holdToPan(false);
    },
    { signal },
  );
  window.addEventListener("pointerdown", () => (tabbed = false), { signal, capture: true });
  window.addEventListener("blur", () => machine.holdToPan(false), { signal });
  window.addEventListener("pagehide", () => machine.leave(), { signal });
  document.addEventListener(
    "visibilitychange",
    () => document.visibilityState === "hidden" && machine.leave(),
    { signal },
  );

  return () => {
    end.abort();
    rests(null);
    observer.disconnect();
    machine.cancel();
    machine.holdToPan(false);
    machine.leave();
  };
}

/** Browsers complain where it is too late for that. */
function prevent(event: Event): void {
  if (event.cancelable) event.preventDefault();
}
