import {
  Box3,
  Color,
  DirectionalLight,
  type Object3D,
  PerspectiveCamera,
  PMREMGenerator,
  Scene,
  Sphere,
  Vector3,
  WebGLRenderer,
  type WebGLRenderTarget,
} from "three";
import { OrbitControls } from "three/addons/controls/OrbitControls.js";
import { RoomEnvironment } from "three/addons/environments/RoomEnvironment.js";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";
import { download, type Tell } from "../api/download";
import { fileOf } from "../api/links";
import { viewer as said } from "../texts/en/viewer";
import { texts } from "../texts/texts";
import { type Film, record } from "./film";
import { Invented } from "./invented";
import { moveByKey } from "./keys";
import { Measuring } from "./measuring";
import {
  boundsOf,
  free,
  hide,
  type Part,
  partWith,
  pointsOf,
  shownPart,
  viewOf,
  wireframeOf,
} from "./parts";
import type { SplatMesh, Splats } from "./splats";

export type Mode = "mesh" | "splat" | "wireframe" | "points";

type File = "mesh" | "splat";

type LoadSplats = () => Promise<Pick<typeof import("./splats"), "Splats" | "splatOf">>;

/** Which file a mode shows. */
export const FILE_OF: Record<Mode, File> = {
  mesh: "mesh",
  wireframe: "mesh",
  splat: "splat",
  points: "splat",
};

/** A side from which one looks straight on; the front is +Z. */
export type Side = "front" | "side" | "top";

const SIDES: Record<Side, Vector3> = {
  front: new Vector3(0, 0, 1),
  side: new Vector3(1, 0, 0),
  // Not quite straight down, where no direction would be up.
  top: new Vector3(0, 1, 1e-3).normalize(),
};

/** What stands behind the object: what the page shows there, or a colour. */
export type Ground = "studio" | "white" | "black";

const GROUNDS: Record<Ground, Color | null> = {
  studio: null,
  white: new Color(0xffffff),
  black: new Color(0x000000),
};

/** A film has no transparency that players show. */
const FILM_GROUND = new Color(0xe3e6e9);
const FILM_MS = 6000;

const FIELD_OF_VIEW = 35;

/** What is known of the photo's camera: whether there is one, and what of its picture is in sight. */
export interface AsInPhoto {
  known: boolean;
  /** Null where one has turned away. */
  through: Part | null;
}

/** From where one looks at first, where no photo says: a little above and to the right. */
const DIRECTION = new Vector3(0.55, 0.38, 1).normalize();
/** Together they leave the colours about as bright as in the photo. */
const ROOM_LIGHT = 0.62;
const KEY_LIGHT = 0.75;

/** What a scene is to do, and whom it tells. */
interface Choices {
  /** Told after each frame with what was drawn. */
  onDrawn?: (mode: Mode) => void;
  /** Told when one begins and ends to look as the photo's camera did. */
  onPhoto?: (asInPhoto: AsInPhoto) => void;
  /** Whether all objects of a photo are shown. */
  together?: boolean;
  /** Whether one looks through the photo's camera at first, if somebody knows it; together it is so. */
  looksAsPhoto?: boolean;
  /** Loads what draws gaussians, once some are wanted. */
  loadSplats?: LoadSplats;
}

/**
 * One object in a scene, or all of a photo. glTF's frame: Y up; an SPZ is in it, a splat that is a
 * PLY, Z up, is turned into it. Draws only when something changes.
 *
 * Where the mesh's file holds the photo's camera, one looks through it at first, and until one
 * turns: at the whole photo where all its objects are shown, else at what of it is around the object.
 */
export class ObjectScene {
  private readonly renderer: WebGLRenderer;
  private readonly scene = new Scene();
  private readonly camera = new PerspectiveCamera(FIELD_OF_VIEW, 1, 0.01, 100);
  private readonly controls: OrbitControls;
  private readonly keyLight = new DirectionalLight(0xffffff, KEY_LIGHT);
  private readonly parts: Partial<Record<Mode, Promise<Object3D>>> = {};
  private readonly onProgress: Partial<Record<File, (share: number) => void>> = {};
  private room: WebGLRenderTarget;
  private splats: Splats | null = null;
  private bounds: Sphere | null = null;
  private box = new Box3();
  private aspect = 1;
  private wanted: Mode | null = null;
  private shown: { mode: Mode; part: Object3D } | null = null;
  private photo: PerspectiveCamera | null = null;
  private through = false;
  private measuring: Measuring | null = null;
  private inventing = false;
  private invented: Invented | null = null;
  private hidden: ReadonlySet<number> = new Set();
  private changed = false;
  private disposed = false;

  private readonly onDrawn: (mode: Mode) => void;
  private readonly onPhoto: (asInPhoto: AsInPhoto) => void;
  private readonly together: boolean;
  private readonly looksAsPhoto: boolean;
  private readonly loadSplats: LoadSplats;

  /** @throws Error where the browser has no WebGL 2. */
  constructor(
    private readonly canvas: HTMLCanvasElement,
    choices: Choices = {},
  ) {
    this.onDrawn = choices.onDrawn ?? (() => undefined);
    this.onPhoto = choices.onPhoto ?? (() => undefined);
    this.together = choices.together ?? false;
    this.looksAsPhoto = choices.looksAsPhoto ?? this.together;
    this.loadSplats = choices.loadSplats ?? (() => import("./splats"));
    this.renderer = new WebGLRenderer({ canvas, alpha: true, antialias: devicePixelRatio < 1.5 });
    this.renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
    this.room = this.makeRoom();
    this.scene.environmentIntensity = ROOM_LIGHT;
    this.keyLight.position.set(2, 4, 3);
    this.scene.add(this.keyLight);
    this.controls = new OrbitControls(this.camera, canvas);
    this.controls.enableDamping = true;
    this.controls.addEventListener("change", () => this.draw());
    this.controls.addEventListener("start", () => this.leavePhoto());
    canvas.addEventListener("keydown", this.keyDown);
    canvas.addEventListener("webglcontextrestored", this.restored);
    this.renderer.setAnimationLoop(() => this.frame());
  }

  /**
   * Show the object in a mode, unless another has been asked for by the time that it is there.
   *
   * @param url The mode's file, loaded when it is first asked for.
   * @param onProgress Told how much of the file has come, 0 where nobody knows of how much, in place
   *   of whom it was told before.
   * @throws Error where the file cannot be loaded; asked again, it is loaded again.
   */
  async show(mode: Mode, url: string, onProgress: (share: number) => void): Promise<void> {
    this.wanted = mode;
    this.onProgress[FILE_OF[mode]] = onProgress;
    const part = await this.part(mode, url);
    if (this.wanted !== mode) return;
    if (this.shown) this.shown.part.visible = false;
    part.visible = true;
    this.shown = { mode, part };
    this.draw();
  }

  /** Brightness, 1 as it was meant. */
  light(brightness: number): void {
    this.scene.environmentIntensity = ROOM_LIGHT * brightness;
    this.keyLight.intensity = KEY_LIGHT * brightness;
    this.draw();
  }

  turn(on: boolean): void {
    if (on) this.leavePhoto();
    this.controls.autoRotate = on;
    this.controls.autoRotateSpeed = 2.4;
    this.draw();
  }

  ground(ground: Ground): void {
    this.scene.background = GROUNDS[ground];
    this.draw();
  }

  /** What is seen, as a PNG: transparent where nothing is, unless there is a colour. */
  picture(): Promise<Blob> {
    // What was drawn is gone with the task in which it was.
    this.render();
    return new Promise((resolve, reject) => {
      this.canvas.toBlob((blob) => {
        if (blob) resolve(blob);
        else reject(new Error(texts(said).pictureFailed));
      }, "image/png");
    });
  }

  /** A film of one turn, from where one looks. */
  async film(tell: (share: number) => void): Promise<Film> {
    this.leavePhoto();
    const { target } = this.controls;
    const from = this.camera.position.clone().sub(target);
    const before = this.scene.background;
    const turning = this.controls.autoRotate;
    const up = new Vector3(0, 1, 0);
    this.controls.enabled = false;
    this.controls.autoRotate = false;
    this.scene.background = before ?? FILM_GROUND;
    try {
      const made = await record(this.canvas, FILM_MS, (share) => {
        tell(share);
        const there = from.clone().applyAxisAngle(up, 2 * Math.PI * share);
        this.camera.position.copy(target).add(there);
        this.camera.lookAt(target);
        this.draw();
      });
      if (this.disposed) throw new Error(texts(said).filmLeft);
      return made;
    } finally {
      this.scene.background = before;
      this.controls.enabled = true;
      this.controls.autoRotate = turning;
      this.draw();
    }
  }

  /** Have taps on the mesh measure, and tell whom; nobody any more where there is none. */
  measure(told: ((length: number | null) => void) | null): void {
    this.measuring?.dispose();
    this.measuring = null;
    this.draw();
    if (!told) return;
    const mesh = () => (this.shown?.mode === "mesh" ? this.shown.part : null);
    this.measuring = new Measuring(this.canvas, this.camera, mesh, (length) => {
      this.draw();
      told(length);
    });
    this.scene.add(this.measuring.marks);
  }

  /** Colour on the mesh what the photo does not show, where somebody knows its camera, or no more. */
  async invent(on: boolean): Promise<void> {
    this.inventing = on;
    this.invented?.dispose();
    this.invented = null;
    this.draw();
    const mesh = await this.parts.mesh?.catch(() => null);
    if (!mesh || !this.photo) return;
    if (!this.inventing || this.invented || this.disposed) return;
    this.invented = new Invented(this.renderer, mesh, this.photo, this.box);
    this.draw();
  }

  /** Show all objects of a scene but these, by their order in its file. */
  hide(objects: ReadonlySet<number>): void {
    this.hidden = objects;
    for (const mode of ["mesh", "wireframe"] as const) {
      void this.parts[mode]?.then((part) => hide(part, objects)).catch(() => undefined);
    }
    this.draw();
  }

  /** Put the camera where the whole object is in sight; where the photo's was, for all objects. */
  look(): void {
    if (this.together && this.photo) {
      this.asInPhoto();
      return;
    }
    if (!this.bounds) return;
    this.leavePhoto();
    this.lookFrom(DIRECTION, this.bounds);
  }

  /** Put the camera where the photo's was, if somebody knows that. */
  asInPhoto(): void {
    if (this.photo && this.bounds) this.lookAsPhoto(this.photo, this.bounds);
  }

  /** Look at one side of it, straight on. */
  side(side: Side): void {
    if (!this.bounds) return;
    this.leavePhoto();
    this.lookFrom(SIDES[side], this.bounds);
  }

  private lookFrom(direction: Vector3, { center, radius }: Sphere): void {
    const distance = (radius * 1.08) / Math.sin((this.camera.fov * Math.PI) / 360);
    this.camera.near = distance / 100;
    this.camera.far = distance * 20;
    this.camera.position.copy(center).addScaledVector(direction, distance);
    this.camera.updateProjectionMatrix();
    this.controls.target.copy(center);
    this.controls.maxDistance = distance * 6;
    this.controls.update();
    this.draw();
  }

  /** What is turned next begins about there; a photo that was held askew is levelled then. */
  private lookAsPhoto(photo: PerspectiveCamera, { center, radius }: Sphere): void {
    const ahead = photo.getWorldDirection(new Vector3());
    this.camera.position.setFromMatrixPosition(photo.matrixWorld);
    const distance = Math.max(ahead.dot(center.clone().sub(this.camera.position)), radius / 10);
    this.camera.near = distance / 100;
    this.camera.far = (distance + radius) * 20;
    if (this.together) {
      this.controls.target.copy(this.camera.position).addScaledVector(ahead, distance);
    } else this.controls.target.copy(center);
    this.controls.maxDistance = (distance + radius) * 6;
    this.controls.update();
    this.through = true;
    this.fit();
  }

  /** Have in the canvas what is to be seen of the photo, or else leave the photo. */
  private fit(): void {
    const { camera, photo, aspect, together } = this;
    if (this.through && photo) {
      const part = shownPart(photo, aspect, together ? undefined : partWith(photo, this.box));
      camera.fov = photo.fov;
      camera.setViewOffset(
        photo.aspect,
        1,
        part.left * photo.aspect,
        part.top,
        part.width * photo.aspect,
        part.height,
      );
      this.onPhoto({ known: true, through: part });
    } else {
      camera.clearViewOffset();
      camera.aspect = aspect;
      camera.fov = together && photo ? viewOf(photo, aspect) : FIELD_OF_VIEW;
      camera.updateProjectionMatrix();
    }
    this.draw();
  }

  /** Look on from there, at the object's middle where it stands alone. */
  private leavePhoto(): void {
    if (!this.through) return;
    this.through = false;
    this.fit();
    this.onPhoto({ known: true, through: null });
    if (this.together || !this.bounds) return;
    const direction = this.camera.position.clone().sub(this.bounds.center).normalize();
    this.lookFrom(direction, this.bounds);
  }

  resize(width: number, height: number): void {
    this.aspect = width / height;
    this.fit();
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
    this.canvas.removeEventListener("webglcontextrestored", this.restored);
    this.controls.dispose();
    this.measuring?.dispose();
    this.invented?.dispose();
    this.disposed = true;
    this.splats?.dispose();
    free(this.scene);
    this.room.dispose();
    this.renderer.dispose();
  }

  private readonly keyDown = (event: KeyboardEvent) => {
    moveByKey(this.controls, event);
    if (event.defaultPrevented) this.leavePhoto();
  };

  /** three.js uploads anew what it was given; what was drawn on the GPU is gone. */
  private readonly restored = () => {
    this.room = this.makeRoom();
    this.splats?.restore();
    this.invented?.see();
    this.draw();
  };

  /** The room whose light falls on the object. */
  private makeRoom(): WebGLRenderTarget {
    const generator = new PMREMGenerator(this.renderer);
    const scene = new RoomEnvironment();
    const room = generator.fromScene(scene, 0.04);
    this.scene.environment = room.texture;
    scene.dispose();
    generator.dispose();
    return room;
  }

  /** What a mode shows, made once; what failed is made again. */
  private part(mode: Mode, url: string): Promise<Object3D> {
    this.parts[mode] ??= this.make(mode, url)
      .then((part) => {
        part.visible = false;
        hide(part, this.hidden);
        if (this.disposed) free(part);
        else this.scene.add(part);
        return part;
      })
      .catch((failure) => {
        delete this.parts[mode];
        throw failure;
      });
    return this.parts[mode];
  }

  private make(mode: Mode, url: string): Promise<Object3D> {
    switch (mode) {
      case "mesh":
        return this.loadMesh(url);
      case "splat":
        return this.loadSplat(url);
      case "wireframe":
        return this.part("mesh", url).then(wireframeOf);
      case "points":
        return this.part("splat", url).then((splat) => pointsOf(splat as SplatMesh));
    }
  }

  private async loadMesh(url: string): Promise<Object3D> {
    const file = await download(url, this.tell("mesh"));
    const { scene, cameras } = await new GLTFLoader().parseAsync(file, "");
    scene.updateMatrixWorld(true);
    if (this.looksAsPhoto)
      this.photo = cameras?.find((camera) => camera instanceof PerspectiveCamera) ?? null;
    const first = !this.bounds;
    this.fitCamera(new Box3().setFromObject(scene));
    if (!first && this.photo) this.onPhoto({ known: true, through: null });
    return scene;
  }

  private async loadSplat(url: string): Promise<SplatMesh> {
    const [file, { Splats, splatOf }] = await Promise.all([
      download(url, this.tell("splat")),
      this.loadSplats(),
    ]);
    if (!this.disposed) this.splats ??= new Splats(this.renderer, this.scene, () => this.draw());
    const splat = await splatOf(file, fileOf(url).endsWith(".spz"));
    this.fitCamera(boundsOf(splat));
    return splat;
  }

  private tell(file: File): Tell {
    return (loaded, total) => this.onProgress[file]?.(total ? loaded / total : 0);
  }

  /** Point the camera at what is loaded first; the other file is of the same object. */
  private fitCamera(bounds: Box3): void {
    if (this.bounds) return;
    this.box = bounds;
    this.bounds = bounds.getBoundingSphere(new Sphere());
    if (this.photo) this.asInPhoto();
    else this.look();
  }

  private frame(): void {
    this.controls.update();
    if (!this.changed) return;
    this.changed = false;
    this.render();
    if (this.shown) this.onDrawn(this.shown.mode);
  }

  private render(): void {
    // The controls look at what one turns about; the photo's camera need not have.
    if (this.through && this.photo)
      this.camera.quaternion.setFromRotationMatrix(this.photo.matrixWorld);
    this.renderer.render(this.scene, this.camera);
  }
}
