import {
  Box3,
  DirectionalLight,
  PerspectiveCamera,
  PMREMGenerator,
  Scene,
  Sphere,
  Vector3,
  WebGLRenderer,
} from "three";
import { OrbitControls } from "three/addons/controls/OrbitControls.js";
import { RoomEnvironment } from "three/addons/environments/RoomEnvironment.js";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";
import { freePart } from "./free";
import { moveByKey } from "./keys";

/** From where one looks at first: the photo's own side, a little from above. */
const DIRECTION = new Vector3(0.25, 0.3, 1).normalize();

/**
 * A model on a small canvas: turned by dragging and by the arrow keys, and by itself while it is pointed
 * at, unless the person wants less motion. What scrolls a page goes on doing that over it.
 *
 * @returns What ends it, once it is drawn.
 * @throws Error where the file cannot be loaded, or the browser has no WebGL 2.
 */
export async function turntable(canvas: HTMLCanvasElement, url: string): Promise<() => void> {
  const { scene: model } = await new GLTFLoader().loadAsync(url);
  const renderer = new WebGLRenderer({ canvas, alpha: true, antialias: true });
  renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
  const scene = new Scene();
  const generator = new PMREMGenerator(renderer);
  const room = generator.fromScene(new RoomEnvironment(), 0.04);
  generator.dispose();
  scene.environment = room.texture;
  scene.environmentIntensity = 0.62;
  const light = new DirectionalLight(0xffffff, 0.75);
  light.position.set(2, 4, 3);
  scene.add(model, light);

  const { center, radius } = new Box3().setFromObject(model).getBoundingSphere(new Sphere());
  const camera = new PerspectiveCamera(30, 1, radius / 10, radius * 20);
  const distance = (radius * 1.06) / Math.sin((camera.fov * Math.PI) / 360);
  camera.position.copy(center).addScaledVector(DIRECTION, distance);

  const controls = new OrbitControls(camera, canvas);
  controls.target.copy(center);
  controls.enablePan = false;
  controls.enableZoom = false;
  controls.enableDamping = true;
  canvas.style.touchAction = "pan-y";
  let changed = true;
  controls.addEventListener("change", () => {
    changed = true;
  });
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const over = (event: PointerEvent) => {
    controls.autoRotate = event.pointerType === "mouse" && !calm.matches;
  };
  const out = () => {
    controls.autoRotate = false;
  };
  const key = (event: KeyboardEvent) => event.key.startsWith("Arrow") && moveByKey(controls, event);
  canvas.addEventListener("pointerenter", over);
  canvas.addEventListener("pointerleave", out);
  canvas.addEventListener("keydown", key);

  const observer = new ResizeObserver(() => {
    const { clientWidth, clientHeight } = canvas;
    camera.aspect = clientWidth / Math.max(clientHeight, 1);
    camera.updateProjectionMatrix();
    renderer.setSize(clientWidth, clientHeight, false);
    changed = true;
  });
  observer.observe(canvas);
  renderer.setAnimationLoop(() => {
    controls.update();
    if (!changed) return;
    changed = false;
    renderer.render(scene, camera);
  });
  return () => {
    renderer.setAnimationLoop(null);
    observer.disconnect();
    canvas.removeEventListener("pointerenter", over);
    canvas.removeEventListener("pointerleave", out);
    canvas.removeEventListener("keydown", key);
    controls.dispose();
    scene.traverse(freePart);
    room.dispose();
    renderer.dispose();
  };
}
