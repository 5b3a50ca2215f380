import { Box3, Group, Object3D, PerspectiveCamera, Vector3 } from "three";
import { describe, expect, it } from "vitest";
import { told } from "../src/pages/result/Scene";
import { hide, partWith, shownPart, viewOf } from "../src/viewer/parts";

const degrees = (half: number) => (Math.atan(half) * 360) / Math.PI;

describe("the photo's view", () => {
  const photo = new PerspectiveCamera(degrees(0.5), 1.5);

  it("is as high as the canvas where that is wider", () => {
    expect(viewOf(photo, 2)).toBeCloseTo(photo.fov);
  });

  it("is as wide as the canvas where that is narrower", () => {
    // The photo is 0.75 to each side, at a distance of 1; so is the canvas, then.
    expect(Math.tan((viewOf(photo, 0.5) * Math.PI) / 360) * 0.5).toBeCloseTo(0.75);
  });
});

describe("what of the photo is around an object", () => {
  const photo = new PerspectiveCamera(degrees(0.5), 1.5);
  photo.updateMatrixWorld();
  const box = (x: number, z: number) =>
    new Box3(new Vector3(x - 0.05, -0.05, z), new Vector3(x + 0.05, 0.05, z));

  it("is where the object falls", () => {
    const part = partWith(photo, box(0.375, -1));
    expect(part.left + part.width / 2).toBeCloseTo(0.75);
    expect(part.top + part.height / 2).toBeCloseTo(0.5);
    expect(part.height).toBeCloseTo(0.1);
  });

  it("is the whole photo where the object reaches behind the camera", () => {
    expect(partWith(photo, box(0, 1))).toEqual({ left: 0, top: 0, width: 1, height: 1 });
  });

  it("has the canvas' shape, and the object in its middle", () => {
    const shown = shownPart(photo, 0.5, partWith(photo, box(0.375, -1)));
    expect((shown.width * photo.aspect) / shown.height).toBeCloseTo(0.5);
    expect(shown.left + shown.width / 2).toBeCloseTo(0.75);
    expect(shown.width).toBeGreaterThan(0.1 / 1.5);
  });

  it.each([0.5, 1.5, 3])("is never more than the whole photo in a canvas of shape %s", (aspect) => {
    const whole = shownPart(photo, aspect);
    expect(shownPart(photo, aspect, { left: 0, top: 0, width: 0.9, height: 0.9 })).toEqual(whole);
    expect(whole.left + whole.width / 2).toBeCloseTo(0.5);
    expect(Math.min(whole.width, whole.height)).toBeCloseTo(1);
  });
});

describe("objects of a scene", () => {
  it("are hidden by their order, and the camera is none of them", () => {
    const [cup, spoon, camera] = [new Group(), new Group(), new PerspectiveCamera()];
    const scene = new Group().add(cup, camera, spoon);
    hide(scene, new Set([1]));
    expect([cup, camera, spoon].map(({ visible }) => visible)).toEqual([true, true, false]);
    hide(scene, new Set([0]));
    expect([cup, camera, spoon].map(({ visible }) => visible)).toEqual([false, true, true]);
    hide(scene, new Set());
    expect([cup, camera, spoon].map(({ visible }) => visible)).toEqual([true, true, true]);
  });

  it("are so too where the camera is below its node", () => {
    const scene = new Group().add(new Object3D().add(new PerspectiveCamera()), new Group());
    hide(scene, new Set([0]));
    expect(scene.children.map(({ visible }) => visible)).toEqual([true, false]);
  });
});

describe("what is told of a scene", () => {
  const [seen, guessed] = [
    { n: 0, placed: "pose" as const, height: 1 },
    { n: 1, placed: "mask" as const, height: 1 },
  ];

  it("says by what objects were placed", () => {
    expect(told([seen, seen], true)).toMatch(/^Each object stands where the engine saw it/);
    expect(told([guessed, guessed], true)).toMatch(/^The engine saw no distances/);
    expect(told([seen, guessed], true)).toMatch(/^Of 1 of them the engine saw no distances/);
  });

  it("says how a size is given where there is none", () => {
    expect(told([seen], false)).toContain("make one again with its height");
    expect(told([seen], true)).toContain("The unit is the metre");
  });
});
