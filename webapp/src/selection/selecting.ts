import type { EmbeddingsMeta } from "../decoder/embeddings";
import type { KeptSelection } from "../kept/kept";
import { type Decode, Decodes } from "./decodes";
import {
  type Gesture,
  inside,
  isInside,
  moved,
  type Outcome,
  type Press,
  pressed,
  released,
  type Stage,
  type Tool,
  without,
} from "./gestures";
import { act, forgetCandidates, type History, redo, startHistory, undo } from "./history";
import { earlierBy, Keeper, whatToKeep } from "./keeping";
import type { Size } from "./mask";
import type { Decoded } from "./prompt";
import {
  type Action,
  activeObject,
  emptySelection,
  isPrompted,
  type Point,
  type SelectedObject,
  type Selection,
} from "./selection";
import { fitView, panBy, showPoint, toPhoto, toScreen, type View, zoomAt } from "./view";

/** All that is drawn of a selection; a new one whenever something changes. */
export interface State {
  readonly tool: Tool;
  /** The brush's radius in pixels of the screen. */
  readonly brush: number;
  /** Whether the photo is moved as long as a key is held. */
  readonly panning: boolean;
  /** Of the viewport. */
  readonly size: Size;
  readonly view: View;
  readonly gesture: Gesture | null;
  /** The cross of those who have no mouse, in the photo's pixels. */
  readonly cursor: Point | null;
  readonly history: History;
  readonly decodes: Decodes | null;
  /** The active object as it would be after a click where the mouse rests. */
  readonly foreseen: SelectedObject | null;
  /** Counts the decoder's answers, so that what shows them is drawn anew. */
  readonly answered: number;
  readonly error: unknown;
  /** Whether the keys are told of. */
  readonly help: boolean;
  /** Whether a reload will find what was selected; some browsers keep nothing. */
  readonly keeps: boolean;
}

/** What a decoder is to the selection. */
export interface Answering {
  readonly decoder: { decode: Decode };
  readonly meta: EmbeddingsMeta;
  readonly found: readonly Decoded[];
}

/** The zoom of a button or a key. */
const STEP = 1.4;

/**
 * A selection in the making: tools, view, history, the decoder's answers, and its keeping. Whatever
 * happens meets the state as it is then, not as it was last drawn.
 */
export class SelectionMachine {
  private state: State;
  private readonly listeners = new Set<() => void>();
  private readonly keeper: Keeper;
  private asked: Answering["decoder"] | null = null;
  private by: KeptSelection["by"];
  /** Whether the person has changed it since it was kept last. */
  private changed = false;

  constructor(
    private readonly photo: Size,
    private earlier: KeptSelection | null,
    private readonly save: (what: KeptSelection) => Promise<boolean>,
  ) {
    const size = { width: 1, height: 1 };
    this.state = {
      tool: "add",
      brush: 16,
      panning: false,
      size,
      view: fitView(size, photo),
      gesture: null,
      cursor: null,
      history: {
        ...startHistory(earlier?.selection ?? emptySelection()),
        ...earlier?.history,
      },
      decodes: null,
      foreseen: null,
      answered: 0,
      error: null,
      help: false,
      keeps: true,
    };
    this.keeper = new Keeper(() => this.keep());
  }

  get now(): State {
    return this.state;
  }

  get selection(): Selection {
    return this.state.history.present;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  take(tool: Tool): void {
    this.set({ tool });
  }

  sizeBrush(brush: number): void {
    this.set({ brush });
  }

  showHelp(help: boolean): void {
    this.set({ help });
  }

  // What is in sight

  resize(size: Size): void {
    const { width, height } = this.state.size;
    if (size.width === width && size.height === height) return;
    this.set({ size, view: fitView(size, this.photo) });
  }

  wholePhoto(): void {
    this.set({ view: fitView(this.state.size, this.photo) });
  }

  zoomIn(): void {
    this.zoom(STEP);
  }

  zoomOut(): void {
    this.zoom(1 / STEP);
  }

  /** Zoom about a place on the screen: else about the cross, so that it stays in sight. */
  zoom(factor: number, about?: Point): void {
    const { view, size, cursor } = this.state;
    const middle = { x: size.width / 2, y: size.height / 2 };
    const at = about ?? (cursor ? toScreen(view, cursor) : middle);
    this.set({ view: zoomAt(view, factor, at, size, this.photo) });
  }

  pan(dx: number, dy: number): void {
    this.set({ view: panBy(this.state.view, dx, dy, this.state.size, this.photo) });
  }

  // Pointers

  press(press: Press): void {
    this.rest(null);
    this.set({ cursor: null, gesture: pressed(this.state.gesture, press, this.stage) });
  }

  /** A pointer has been at these places, on the screen, since it was told of last. */
  move(pointer: number, places: readonly Point[]): void {
    for (const at of places) {
      const { gesture } = this.state;
      if (!gesture) return;
      const next = moved(gesture, { pointer, at }, this.stage);
      if (next.gesture !== gesture) this.set(next);
    }
  }

  release(pointer: number): void {
    const { gesture } = this.state;
    if (!gesture) return;
    const next = released(gesture, pointer, this.stage);
    this.set({ gesture: next.gesture });
    if (next.outcome) this.act(actionOf(next.outcome));
  }

  /** The mouse rests at a place on the screen, or no more: what a click there would make is shown. */
  rest(at: Point | null): void {
    const foreseen = at && this.clicked(at);
    if (foreseen === this.state.foreseen) return;
    this.state.decodes?.foresee(foreseen);
    this.set({ foreseen });
  }

  private clicked(at: Point): SelectedObject | null {
    const { tool, panning, gesture, view } = this.state;
    const active = activeObject(this.selection);
    const label = tool === "remove" ? 0 : 1;
    const click = { ...toPhoto(view, at), label } as const;
    const clicks = tool === "add" || (tool === "remove" && isPrompted(active));
    if (!clicks || panning || gesture || !isInside(click, this.photo)) return null;
    return { ...active, clicks: [...active.clicks, click], candidate: null };
  }

  /** A pointer was taken away by the browser, or all by the person. */
  cancel(pointer?: number): void {
    const { gesture } = this.state;
    if (!gesture) return;
    this.set({ gesture: pointer === undefined ? null : without(gesture, pointer) });
  }

  /** As long as a key is held the photo is moved, whatever the tool. */
  holdToPan(panning: boolean): void {
    if (panning !== this.state.panning) this.set({ panning });
  }

  // The cross

  /** Move the cross by so many pixels of the screen, and keep it in sight. */
  moveCross(dx: number, dy: number): void {
    const { view, size } = this.state;
    const at = this.cross;
    const next = inside({ x: at.x + dx / view.scale, y: at.y + dy / view.scale }, this.photo);
    this.set({ cursor: next, view: showPoint(view, next, size, this.photo) });
  }

  /** Click what is under the cross; without a label as the tool says. */
  clickCross(label: 0 | 1 = this.state.tool === "remove" ? 0 : 1): void {
    const at = this.cross;
    this.set({ cursor: at });
    this.act({ type: "click", click: { ...at, label } });
  }

  /** Let go of the gesture, and take the cross away. */
  letGo(): void {
    this.set({ gesture: null, cursor: null });
  }

  private get cross(): Point {
    const { view, size, cursor } = this.state;
    return cursor ?? toPhoto(view, { x: size.width / 2, y: size.height / 2 });
  }

  // The selection

  readonly act = (action: Action): void => this.go(act(this.state.history, action));

  readonly undo = (): void => this.go(undo(this.state.history));

  readonly redo = (): void => this.go(redo(this.state.history));

  private go(history: History): void {
    if (history === this.state.history) return;
    this.rest(null);
    this.set({ history });
    this.want();
    this.changed = true;
    this.keeper.soon();
  }

  /**
   * Go on from what another tab has kept of the same job: else the tab that keeps last, though it
   * be for a better decoder, would take away what was selected in the other. Who is changing it
   * here keeps theirs.
   */
  follow(kept: KeptSelection): void {
    const { gesture, decodes } = this.state;
    if (gesture || this.changed) return;
    this.rest(null);
    const history = { ...startHistory(kept.selection), ...kept.history };
    const same = kept.by?.engine === this.by?.engine && kept.by?.revision === this.by?.revision;
    if (!decodes) this.earlier = kept;
    else if (same) decodes.restore(kept.selection.objects, kept.answers);
    this.set({ history: decodes && !same ? forgetCandidates(history) : history });
    this.want();
  }

  // The decoder

  /** Go on with a decoder: the first, or another in the place of the one before. */
  goOn({ decoder, meta, found }: Answering): void {
    if (decoder === this.asked) return;
    this.asked = decoder;
    const { objects } = this.selection;
    const before = this.state.decodes ?? earlierBy(this.earlier, meta);
    const decodes = new Decodes(
      (prompt, previous) => decoder.decode(prompt, previous),
      meta.singleMaskIndex,
      found,
      () => this.answer(),
      (error) => this.set({ error }),
      before?.handOver(objects),
    );
    if (!before && this.earlier) {
      decodes.restore(this.earlier.selection.objects, this.earlier.answers);
    }
    const { history } = this.state;
    this.by = meta;
    this.set({ decodes, history: before ? forgetCandidates(history) : history });
    this.want();
    this.keeper.soon();
  }

  private answer(): void {
    this.set({ answered: this.state.answered + 1 });
    this.keeper.soon();
  }

  /** Have decoded what could not be. */
  askAgain(): void {
    this.want();
  }

  private want(): void {
    const active = activeObject(this.selection);
    const others = this.selection.objects.filter((object) => object !== active);
    this.set({ error: null });
    this.state.decodes?.want([active, ...others]);
  }

  // Keeping

  /** Keep the selection at once, before it is left. */
  keepNow(): Promise<void> {
    return this.keeper.now();
  }

  /** One leaves: what has not been kept yet is. */
  leave(): void {
    this.keeper.flush();
  }

  private async keep(): Promise<void> {
    const { history, decodes } = this.state;
    const what = whatToKeep(history, decodes, this.by, this.earlier);
    if (!what) return;
    this.changed = false;
    const keeps = await this.save(what);
    if (keeps !== this.state.keeps) this.set({ keeps });
  }

  private get stage(): Stage {
    return { ...this.state, photo: this.photo };
  }

  private set(change: Partial<State>): void {
    this.state = { ...this.state, ...change };
    for (const listener of this.listeners) listener();
  }
}

function actionOf(outcome: Outcome): Action {
  if ("click" in outcome) {
    return { type: "click", click: { ...outcome.click, label: outcome.label } };
  }
  if ("box" in outcome) return { type: "box", box: outcome.box };
  return { type: "stroke", stroke: outcome.stroke };
}
