import { PerspectiveCamera } from "three";
import { OrbitControls } from "three/addons/controls/OrbitControls.js";
import { describe, expect, it } from "vitest";
import { moveByKey } from "../src/viewer/keys";

/** Where the camera is after a key, and whether the page keeps the key from the browser. */
function press(key: string, held: Partial<KeyboardEvent> = {}) {
  const camera = new PerspectiveCamera();
  camera.position.set(0, 0, 10);
  const controls = new OrbitControls(camera);
  let prevented = false;
  const preventDefault = () => {
    prevented = true;
  };
  moveByKey(controls, { key, preventDefault, ...held } as KeyboardEvent);
  return { ...camera.position, distance: camera.position.length(), prevented };
}

describe("the viewer's keys", () => {
  it("turn with the arrows, and stay as near", () => {
    expect(press("ArrowRight").x).toBeLessThan(-1);
    expect(press("ArrowLeft").x).toBeGreaterThan(1);
    expect(press("ArrowDown").y).toBeGreaterThan(1);
    expect(press("ArrowUp").y).toBeLessThan(-1);
    expect(press("ArrowUp").distance).toBeCloseTo(10);
  });

  it("come closer with plus and go away with minus", () => {
    expect(press("+").distance).toBeLessThan(9);
    expect(press("=").distance).toBeLessThan(9);
    expect(press("-").distance).toBeGreaterThan(11);
  });

  it("leave the browser its own", () => {
    expect(press("+", { ctrlKey: true })).toMatchObject({ z: 10, prevented: false });
    expect(press("Tab").prevented).toBe(false);
    expect(press("-").prevented).toBe(true);
  });
});
