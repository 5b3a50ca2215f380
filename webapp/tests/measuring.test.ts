// @vitest-environment happy-dom
import { BoxGeometry, Mesh, type Object3D, PerspectiveCamera } from "three";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Measuring } from "../src/viewer/measuring";

/** A box a metre high and half a metre wide, seen from the front in a canvas of 400 × 400 pixels. */
const canvas = document.createElement("canvas");
const camera = new PerspectiveCamera(60, 1, 0.1, 100);
const told = vi.fn();
let box: Object3D | null;
let measuring: Measuring;

beforeEach(() => {
  box = new Mesh(new BoxGeometry(0.5, 1, 0.5));
  canvas.getBoundingClientRect = () => new DOMRect(0, 0, 400, 400);
  camera.position.set(0, 0, 2);
  camera.updateMatrixWorld();
  told.mockReset();
  measuring = new Measuring(canvas, camera, () => box, told);
});
afterEach(() => measuring.dispose());

function tap(x: number, y: number, moved = 0) {
  const at = { pointerId: 1, clientX: x, clientY: y };
  canvas.dispatchEvent(new PointerEvent("pointerdown", at));
  canvas.dispatchEvent(new PointerEvent("pointerup", { ...at, clientX: x + moved }));
}

/** Where a height on the box's front, 1.75 away, is drawn. */
const row = (height: number) => 200 - (200 * height) / (1.75 * Math.tan(Math.PI / 6));

describe("measuring", () => {
  it("tells how far apart two taps on the mesh are, and begins anew with a third", () => {
    tap(200, row(0.4));
    tap(200, row(-0.35));
    tap(200, row(0));
    expect(told.mock.calls).toEqual([[null], [expect.closeTo(0.75, 5)], [null]]);
  });

  it("passes over what misses the mesh, what turns it, and what is not there yet", () => {
    tap(20, 200);
    tap(200, 200, 30);
    box = null;
    tap(200, 200);
    expect(told).not.toHaveBeenCalled();
  });

  it("hears nothing once it is over", () => {
    measuring.dispose();
    tap(200, 200);
    expect(told).not.toHaveBeenCalled();
  });
});
