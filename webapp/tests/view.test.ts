import { describe, expect, it } from "vitest";
import { fitView, panBy, showPoint, toPhoto, toScreen, zoomAt } from "../src/selection/view";

const viewport = { width: 800, height: 600 };
const photo = { width: 4000, height: 2000 };

describe("view", () => {
  it("fits and centres the photo", () => {
    expect(fitView(viewport, photo)).toEqual({ scale: 0.2, x: 0, y: 100 });
  });

  it("keeps what is under the pointer there while zooming", () => {
    const at = { x: 300, y: 250 };
    let view = zoomAt(fitView(viewport, photo), 3, { x: 400, y: 300 }, viewport, photo);
    const before = toPhoto(view, at);
    for (let i = 0; i < 12; i++) view = zoomAt(view, 1.15, at, viewport, photo);
    const now = toPhoto(view, at);
    expect(now.x).toBeCloseTo(before.x, 6);
    expect(now.y).toBeCloseTo(before.y, 6);
  });

  it("takes a point to the screen and back exactly under any pan and zoom", () => {
    let view = zoomAt(fitView(viewport, photo), 5, { x: 10, y: 590 }, viewport, photo);
    view = panBy(view, -123.4, 56.7, viewport, photo);
    const point = { x: 1234.5, y: 678.25 };
    const back = toPhoto(view, toScreen(view, point));
    expect(back.x).toBeCloseTo(point.x, 9);
    expect(back.y).toBeCloseTo(point.y, 9);
  });

  it("follows a point that leaves the viewport, and no other", () => {
    const view = zoomAt(fitView(viewport, photo), 5, { x: 400, y: 300 }, viewport, photo);
    expect(showPoint(view, { x: 2000, y: 1000 }, viewport, photo)).toEqual(view);
    for (const x of [0, 1500, photo.width]) {
      for (const y of [0, 600, photo.height]) {
        const at = toScreen(showPoint(view, { x, y }, viewport, photo), { x, y });
        expect(at.x).toBeGreaterThanOrEqual(20);
        expect(at.x).toBeLessThanOrEqual(viewport.width - 20);
        expect(at.y).toBeGreaterThanOrEqual(20);
        expect(at.y).toBeLessThanOrEqual(viewport.height - 20);
      }
    }
    const whole = fitView(viewport, photo);
    expect(showPoint(whole, { x: 0, y: 0 }, viewport, photo)).toEqual(whole);
  });

  it("never loses the photo", () => {
    const far = panBy(
      zoomAt(fitView(viewport, photo), 4, { x: 0, y: 0 }, viewport, photo),
      1e6,
      -1e6,
      viewport,
      photo,
    );
    const corner = toScreen(far, { x: 0, y: photo.height });
    expect(corner.x).toBeLessThan(viewport.width);
    expect(corner.y).toBeGreaterThan(0);
    expect(zoomAt(far, 1e-6, { x: 5, y: 5 }, viewport, photo)).toEqual(fitView(viewport, photo));
  });
});
