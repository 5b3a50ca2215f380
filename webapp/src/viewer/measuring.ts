import {
  BufferGeometry,
  type Camera,
  Group,
  Line,
  LineBasicMaterial,
  type Object3D,
  Points,
  PointsMaterial,
  Raycaster,
  Vector2,
  type Vector3,
} from "three";

const COLOUR = 0xff6a2b;
/** Pixels that a finger may move in a tap. */
const STEADY = 6;

/** Two taps on a mesh, and how far apart they are; a third begins anew. */
export class Measuring {
  /** What is drawn of it, over all else. */
  readonly marks = new Group();
  private readonly end = new AbortController();
  private readonly ray = new Raycaster();
  private taps: Vector3[] = [];

  /**
   * @param mesh What is tapped on, while it is there.
   * @param told Told how far apart the taps are, in the file's unit, or null while there is but one.
   */
  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly camera: Camera,
    private readonly mesh: () => Object3D | null,
    private readonly told: (length: number | null) => void,
  ) {
    const { signal } = this.end;
    let down: PointerEvent | null = null;
    canvas.addEventListener("pointerdown", (event) => (down = event), { signal });
    canvas.addEventListener(
      "pointerup",
      (event) => {
        const steady =
          down !== null &&
          down.pointerId === event.pointerId &&
          Math.hypot(event.clientX - down.clientX, event.clientY - down.clientY) < STEADY;
        down = null;
        if (steady) this.tap(event);
      },
      { signal },
    );
    this.marks.renderOrder = 1;
  }

  dispose(): void {
    this.end.abort();
    this.clear();
    this.marks.removeFromParent();
  }

  private tap({ clientX, clientY }: PointerEvent): void {
    const mesh = this.mesh();
    if (!mesh) return;
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    const place = new Vector2(
      (2 * (clientX - left)) / width - 1,
      1 - (2 * (clientY - top)) / height,
    );
    this.ray.setFromCamera(place, this.camera);
    const [hit] = this.ray.intersectObject(mesh);
    if (!hit) return;
    this.taps = [...(this.taps.length < 2 ? this.taps : []), hit.point];
    this.draw();
    const [one, other] = this.taps;
    this.told(one && other ? one.distanceTo(other) : null);
  }

  private draw(): void {
    this.clear();
    const places = new BufferGeometry().setFromPoints(this.taps);
    const over = { color: COLOUR, depthTest: false, transparent: true };
    this.marks.add(
      new Points(places, new PointsMaterial({ ...over, size: 9, sizeAttenuation: false })),
      new Line(places, new LineBasicMaterial(over)),
    );
  }

  private clear(): void {
    for (const mark of this.marks.children as (Points | Line)[]) {
      mark.geometry.dispose();
      (mark.material as PointsMaterial | LineBasicMaterial).dispose();
    }
    this.marks.clear();
  }
}
