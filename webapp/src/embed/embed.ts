/**
 * One shared object in a frame of somebody else's site: its picture, its model once somebody asks
 * for it, and a line that leads to its own page.
 *
 * Without React and all else that the app is made of: a page may hold ten of these.
 */

import { again } from "../api/again";
import { ApiError } from "../api/error";
import type { SharedView } from "../api/types";
import { common } from "../texts/en/common";
import { embed as said } from "../texts/en/embed";
import { shared as ofShares } from "../texts/en/shared";
import { viewer } from "../texts/en/viewer";
import { sentenceOf } from "../texts/sentence";
import { texts } from "../texts/texts";

/** Well before the links to the files end. */
const FRESH_MS = 5 * 60_000;

type GetShared = (shareId: string) => Promise<SharedView>;
type LoadScene = () => Promise<Pick<typeof import("../viewer/scene"), "ObjectScene">>;

export class Embed {
  private readonly stage = element("div", "stage");
  private readonly name = element("h1", "name");
  private readonly link = element("a", "link");
  private readonly poster = element("button", "poster");
  private readonly pill = element("span", "pill");
  private opened: { readonly shared: SharedView; readonly at: number } | null = null;

  /**
   * @param getShared Asks for what a share opens; throws `ApiError`.
   * @param loadScene What draws in 3D, which is large and loaded when it is wanted.
   */
  constructor(
    root: HTMLElement,
    private readonly shareId: string,
    private readonly getShared: GetShared,
    private readonly loadScene: LoadScene = () => import("../viewer/scene"),
  ) {
    const line = element("footer", "line");
    this.name.textContent = "Gen3D";
    this.link.textContent = texts(said).whole;
    this.link.href = `/shared/${encodeURIComponent(shareId)}`;
    this.link.target = "_blank";
    this.link.rel = "noopener";
    line.append(this.name, this.link);
    root.append(this.stage, line);
    this.poster.type = "button";
    this.poster.append(this.pill);
    this.poster.addEventListener("click", () => void this.turn());
    this.say(texts(ofShares).loading);
    onceSeen(this.stage, () => void this.show());
  }

  /** Show the picture of what is shared. */
  private async show(): Promise<void> {
    try {
      const { name, files } = await this.open();
      document.title = `${name} · Gen3D`;
      this.name.textContent = name;
      if (!files.glb) {
        this.say(texts(ofShares).madeAnew);
        return;
      }
      this.pill.textContent = texts(said).turn;
      this.poster.disabled = false;
      if (files.preview) {
        const picture = element("img", "picture");
        picture.crossOrigin = "anonymous";
        picture.alt = name;
        picture.src = files.preview.url;
        // Without its picture the model can be turned all the same.
        picture.addEventListener("error", () => picture.remove());
        this.poster.replaceChildren(picture, this.pill);
      }
      this.stage.replaceChildren(this.poster);
    } catch (failure) {
      this.fail(failure);
    }
  }

  /** Draw the model in place of its picture. */
  private async turn(): Promise<void> {
    const word = texts(viewer);
    this.poster.disabled = true;
    this.pill.textContent = word.loading.mesh;
    try {
      const [{ name, files }, { ObjectScene }] = await Promise.all([this.open(), this.loadScene()]);
      if (!files.glb) {
        this.say(texts(ofShares).madeAnew);
        return;
      }
      const canvas = element("canvas", "canvas");
      canvas.tabIndex = 0;
      canvas.setAttribute("role", "application");
      canvas.setAttribute("aria-label", word.canvas(name, word.modes.mesh));
      this.stage.prepend(canvas);
      const scene = sceneOn(ObjectScene, canvas, (drawn) => {
        canvas.dataset.drawn = drawn;
        this.poster.remove();
      });
      if (!scene) {
        canvas.remove();
        this.say(texts(said).noWebGl);
        return;
      }
      const size = new ResizeObserver(() =>
        scene.resize(this.stage.clientWidth, this.stage.clientHeight),
      );
      size.observe(this.stage);
      try {
        await scene.show("mesh", files.glb.url, (share) => {
          this.pill.textContent = `${word.loading.mesh} ${share ? `${Math.round(100 * share)} %` : ""}`;
        });
      } catch (failure) {
        size.disconnect();
        scene.dispose();
        canvas.remove();
        throw failure;
      }
      if (document.fullscreenEnabled) this.stage.append(fullScreenOf(this.stage));
      canvas.focus({ preventScroll: true });
    } catch (failure) {
      this.fail(failure);
    }
  }

  /** What is shared, asked for anew once the links to its files may have ended. */
  private async open(): Promise<SharedView> {
    if (this.opened && Date.now() - this.opened.at < FRESH_MS) return this.opened.shared;
    const shared = await again(() => this.getShared(this.shareId));
    this.opened = { shared, at: Date.now() };
    return shared;
  }

  private fail(failure: unknown): void {
    console.warn("Embed", failure);
    this.opened = null;
    if (failure instanceof ApiError && failure.status === 404) {
      // Its page would say no more than this.
      this.link.remove();
      this.name.textContent = "Gen3D";
      this.say(texts(said).nothing);
      return;
    }
    this.say(sentenceOf(failure), () => void this.show());
  }

  private say(sentence: string, tryAgain?: () => void): void {
    const words = element("p", "words");
    words.setAttribute("role", "status");
    words.textContent = sentence;
    const around = element("div", "says");
    around.append(words);
    if (tryAgain) {
      const button = element("button", "pill");
      button.type = "button";
      button.textContent = texts(common).tryAgain;
      button.addEventListener("click", tryAgain);
      around.append(button);
    }
    this.stage.replaceChildren(around);
  }
}

function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  made.className = className;
  return made;
}

/** Do something when a frame comes into sight, of which there may be many far below. */
function onceSeen(within: Element, task: () => void): void {
  const seen = new IntersectionObserver((entries) => {
    if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
    seen.disconnect();
    task();
  });
  seen.observe(within);
}

/** A scene, or null where the browser has no WebGL 2. */
function sceneOn(
  Scene: Awaited<ReturnType<LoadScene>>["ObjectScene"],
  canvas: HTMLCanvasElement,
  onDrawn: (mode: string) => void,
) {
  try {
    return new Scene(canvas, { onDrawn });
  } catch {
    return null;
  }
}

function fullScreenOf(stage: HTMLElement): HTMLElement {
  const button = element("button", "full");
  button.type = "button";
  button.textContent = "⛶";
  button.title = texts(viewer).fullScreen;
  button.setAttribute("aria-label", button.title);
  button.addEventListener("click", () => {
    const done = document.fullscreenElement ? document.exitFullscreen() : stage.requestFullscreen();
    done.catch(() => undefined);
  });
  return button;
}
