import type { OrbitControls } from "three/addons/controls/OrbitControls.js";

const ANGLE = Math.PI / 18;
const NEARER = 0.85;

/** As dragging and scrolling do: to the right turns the object to the right. */
const MOVES: Record<string, (controls: OrbitControls) => void> = {
  ArrowLeft: (controls) => controls.rotateLeft(-ANGLE),
  ArrowRight: (controls) => controls.rotateLeft(ANGLE),
  ArrowUp: (controls) => controls.rotateUp(-ANGLE),
  ArrowDown: (controls) => controls.rotateUp(ANGLE),
  "+": (controls) => controls.dollyIn(NEARER),
  "=": (controls) => controls.dollyIn(NEARER),
  "-": (controls) => controls.dollyOut(NEARER),
};

/** Move the camera as a key says. OrbitControls' own keys shift the object out of sight. */
export function moveByKey(controls: OrbitControls, event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const move = MOVES[event.key];
  if (!move) return;
  move(controls);
  event.preventDefault();
}
