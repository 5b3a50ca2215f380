import { SparkRenderer, SplatMesh } from "@sparkjsdev/spark";
import {
  Box3,
  BufferGeometry,
  DirectionalLight,
  Float32BufferAttribute,
  Group,
  Mesh,
  MeshBasicMaterial,
  type Object3D,
  PerspectiveCamera,
  PMREMGenerator,
  Points,
  PointsMaterial,
  Scene,
  Sphere,
  Vector3,
  WebGLRenderer,
} from "three";
import { OrbitControls } from "three/addons/controls/OrbitControls.js";
import { RoomEnvironment } from "three/addons/environments/RoomEnvironment.js";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";
import { moveByKey } from "./keys";

export type Mode = "mesh" | "splat" | "wireframe" | "points";

/** From where one looks at first: a little above and to the right. */
const DIRECTION = new Vector3(0.55, 0.38, 1).normalize();
/** Together they leave the colours about as bright as in the photo. */
const ROOM_LIGHT = 0.62;
const KEY_LIGHT = 0.75;
const WIRE_COLOUR = 0x7f8894;

/**
 * One object in a scene. glTF's frame: Y up; the splat, Z up, is turned into it. Draws only when
 * something changes.
 */
export class ObjectScene {
  private readonly renderer: WebGLRenderer;
  private readonly scene = new Scene();
  private readonly camera = new PerspectiveCamera(35, 1, 0.01, 100);
  private readonly controls: OrbitControls;
  private readonly keyLight = new DirectionalLight(0xffffff, KEY_LIGHT);
  private readonly parts: Partial<Record<Mode, Object3D>> = {};
  private spark: SparkRenderer | null = null;
  private mode: Mode = "mesh";
  private changed = false;

  /**
   * @param onDrawn Told after each frame with what was drawn.
   * @throws Error where the browser has no WebGL 2.
   */
  constructor(
    private readonly canvas: HTMLCanvasElement,
    private readonly onDrawn: (mode: Mode) => void = () => undefined,
  ) {
    this.renderer = new WebGLRenderer({ canvas, alpha: true, antialias: devicePixelRatio < 1.5 });
    this.renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
    const environment = new PMREMGenerator(this.renderer);
    this.scene.environment = environment.fromScene(new RoomEnvironment(), 0.04).texture;
    this.scene.environmentIntensity = ROOM_LIGHT;
    environment.dispose();
    this.keyLight.position.set(2, 4, 3);
    this.scene.add(this.keyLight);
    this.controls = new OrbitControls(this.camera, canvas);
    this.controls.enableDamping = true;
    this.controls.addEventListener("change", () => this.draw());
    canvas.addEventListener("keydown", this.keyDown);
    this.renderer.setAnimationLoop(() => this.frame());
  }

  /** Load the mesh; wireframe and mesh show the same one. */
  async loadMesh(url: string, onProgress: (share: number) => void): Promise<void> {
    const gltf = await new GLTFLoader().loadAsync(url, ({ loaded, total }) =>
      onProgress(total ? loaded / total : 0),
    );
    this.put("mesh", gltf.scene);
    this.put("wireframe", wireframeOf(gltf.scene));
    this.look();
  }

  /** Load the splat; points show its gaussians' centres. */
  async loadSplat(url: string, onProgress: (share: number) => void): Promise<void> {
    if (!this.spark) {
      // Sorting takes longer than a frame; what is in a new order has to be drawn again.
      this.spark = new SparkRenderer({ renderer: this.renderer, onDirty: () => this.draw() });
      this.scene.add(this.spark);
    }
    const splat = new SplatMesh({
      url,
      onProgress: ({ loaded, total }: ProgressEvent) => onProgress(total ? loaded / total : 0),
    });
    await splat.initialized;
    const group = new Group();
    group.rotation.x = -Math.PI / 2;
    group.add(splat);
    this.put("splat", group);
    const points = pointsOf(splat);
    points.rotation.x = -Math.PI / 2;
    this.put("points", points);
    if (!this.parts.mesh) this.look();
  }

  has(mode: Mode): boolean {
    return this.parts[mode] !== undefined;
  }

  show(mode: Mode): void {
    this.mode = mode;
    for (const [name, part] of Object.entries(this.parts)) part.visible = name === mode;
    this.draw();
  }

  /** Brightness, 1 as it was meant. */
  light(brightness: number): void {
    this.scene.environmentIntensity = ROOM_LIGHT * brightness;
    this.keyLight.intensity = KEY_LIGHT * brightness;
    this.draw();
  }

  turn(on: boolean): void {
    this.controls.autoRotate = on;
    this.controls.autoRotateSpeed = 2.4;
    this.draw();
  }

  /** Put the camera where the whole object is in sight. */
  look(): void {
    const part = this.parts.mesh ?? this.parts.points;
    if (!part) return;
    const { center, radius } = new Box3().setFromObject(part).getBoundingSphere(new Sphere());
    const distance = (radius * 1.08) / Math.sin((this.camera.fov * Math.PI) / 360);
    this.camera.near = distance / 100;
    this.camera.far = distance * 20;
    this.camera.position.copy(center).addScaledVector(DIRECTION, distance);
    this.camera.updateProjectionMatrix();
    this.controls.target.copy(center);
    this.controls.maxDistance = distance * 6;
    this.controls.update();
    this.draw();
  }

  resize(width: number, height: number): void {
    this.camera.aspect = width / height;
    this.camera.updateProjectionMatrix();
    this.renderer.setSize(width, height, false);
    this.draw();
  }

  /** See to it that the next frame is drawn. */
  draw(): void {
    this.changed = true;
  }

  dispose(): void {
    this.renderer.setAnimationLoop(null);
    this.canvas.removeEventListener("keydown", this.keyDown);
    this.controls.dispose();
    this.scene.traverse((part) => {
      if (part instanceof Mesh || part instanceof Points) part.geometry.dispose();
      if (part instanceof SplatMesh) part.dispose();
    });
    this.renderer.dispose();
  }

  private readonly keyDown = (event: KeyboardEvent) => moveByKey(this.controls, event);

  private put(mode: Mode, part: Object3D): void {
    part.visible = this.mode === mode;
    this.parts[mode] = part;
    this.scene.add(part);
    this.draw();
  }

  private frame(): void {
    this.controls.update();
    if (!this.changed) return;
    this.changed = false;
    this.renderer.render(this.scene, this.camera);
    if (this.parts[this.mode]) this.onDrawn(this.mode);
  }
}

function wireframeOf(scene: Object3D): Object3D {
  const copy = scene.clone(true);
  const material = new MeshBasicMaterial({ color: WIRE_COLOUR, wireframe: true });
  copy.traverse((part) => {
    if (part instanceof Mesh) part.material = material;
  });
  return copy;
}

function pointsOf(splat: SplatMesh): Points {
  const positions: number[] = [];
  const colours: number[] = [];
  splat.forEachSplat((_, centre, _scales, _quaternion, opacity, colour) => {
    if (opacity < 0.1) return;
    positions.push(centre.x, centre.y, centre.z);
    const { r, g, b } = colour.clone().convertSRGBToLinear();
    colours.push(r, g, b);
  });
  const geometry = new BufferGeometry();
  geometry.setAttribute("position", new Float32BufferAttribute(positions, 3));
  geometry.setAttribute("color", new Float32BufferAttribute(colours, 3));
  return new Points(
    geometry,
    new PointsMaterial({ size: 1.5, sizeAttenuation: false, vertexColors: true }),
  );
}
