import type { Logits } from "./mask";
import {
  ancestors,
  candidates,
  type Decoded,
  isFound,
  maskAt,
  nearest,
  only,
  type Prompt,
  promptKey,
  promptOf,
  proposed,
} from "./prompt";
import type { SelectedObject } from "./selection";

/** Asks the decoder; `previous` is the mask that this prompt refines. */
export type Decode = (prompt: Prompt, previous: Logits | null) => Promise<Decoded>;

/** What is known of the masks of a decoder that was there before, by prompt. */
export interface Earlier {
  /** The mask that stood for each object. */
  readonly masks: ReadonlyMap<string, Decoded>;
  /** The masks that the person preferred to those that were proposed. */
  readonly preferred: ReadonlyMap<string, Decoded>;
}

const NOTHING: Earlier = { masks: new Map(), preferred: new Map() };

/** What takes longer is not decoded before it is asked for: a click would have to wait for it. */
const QUICK_MS = 150;

/** Answers kept, at most about a megabyte each. */
const KEPT = 64;

/**
 * The decoder's answers by prompt. One prompt is decoded at a time; what is wanted meanwhile
 * replaces what was wanted before, so only the newest is ever pending. An answer that was given
 * once is kept, which makes undo and redo instant.
 */
export class Decodes {
  private readonly answers = new Map<string, Decoded>();
  private readonly preferred = new Map<string, number>();
  /** Of the answers to the same prompts, what is most like the mask that was preferred before. */
  private readonly alike = new Map<string, number>();
  private earlierStand = false;
  private wanted: Prompt[] = [];
  /** What could not be decoded; it is tried again with the next wish, and holds up no other. */
  private readonly failed = new Set<string>();
  private running = false;
  /** What may be asked next. */
  private foreseen: Prompt | null = null;
  /** Milliseconds that the last answer took; before the first nobody knows. */
  private took = Number.POSITIVE_INFINITY;

  constructor(
    private readonly decode: Decode,
    private readonly singleMaskIndex: number | null,
    private readonly found: readonly Decoded[],
    private readonly onChange: () => void,
    private readonly onError: (error: unknown) => void,
    private readonly earlier: Earlier = NOTHING,
  ) {}

  /** Say what is needed, the most urgent first; earlier wishes are forgotten. */
  want(objects: readonly SelectedObject[]): void {
    for (const object of objects) {
      const prompt = promptOf(object);
      if (!prompt) continue;
      if (object.candidate === null) this.preferred.delete(promptKey(prompt));
      else this.preferred.set(promptKey(prompt), object.candidate);
    }
    this.failed.clear();
    this.wanted = objects.map(promptOf).filter((prompt) => prompt !== null);
    void this.run();
  }

  /** Decode what may be asked next, when nothing is wanted that is not there; null: nothing. */
  foresee(object: SelectedObject | null): void {
    this.foreseen = object && this.took <= QUICK_MS ? promptOf(object) : null;
    if (this.foreseen) void this.run();
  }

  /** The answer for an object, once there is one. */
  answer(object: SelectedObject): Decoded | null {
    const prompt = promptOf(object);
    return prompt && this.known(prompt);
  }

  /** Which of the answer's masks stands for the object. */
  chosen(object: SelectedObject): number | null {
    const prompt = promptOf(object);
    const decoded = this.answer(object);
    if (!prompt || !decoded) return null;
    return this.preference(object) ?? proposed(decoded, prompt, this.singleMaskIndex);
  }

  /** Which of the answer's masks the person prefers to the proposed one, if any. */
  preference(object: SelectedObject): number | null {
    const prompt = promptOf(object);
    const index = object.candidate ?? (prompt && this.alike.get(promptKey(prompt))) ?? null;
    const count = this.answer(object)?.scores.length ?? 0;
    return index !== null && index < count ? index : null;
  }

  /** The masks to choose from. */
  candidates(object: SelectedObject): number[] {
    const decoded = this.answer(object);
    return decoded ? candidates(decoded, this.singleMaskIndex) : [];
  }

  /** The object's mask, once there is one. */
  logits(object: SelectedObject): Logits | null {
    const decoded = this.answer(object);
    const index = this.chosen(object);
    return decoded && index !== null ? maskAt(decoded, index) : null;
  }

  /** Whether the object's mask is still to come. */
  pending(object: SelectedObject): boolean {
    return promptOf(object) !== null && this.answer(object) === null;
  }

  /** Which of these objects have a mask by the earlier decoder, and are as they were then. */
  earlierOf(objects: readonly SelectedObject[]): SelectedObject[] {
    return objects.filter((object) => {
      const prompt = promptOf(object);
      return prompt !== null && this.earlier.masks.has(promptKey(prompt));
    });
  }

  /** Whether it is the earlier decoder's masks that stand, where there are any. */
  get keepsEarlier(): boolean {
    return this.earlierStand;
  }

  /** Have the earlier decoder's masks stand, or this one's again. */
  keepEarlier(stand: boolean): void {
    this.earlierStand = stand;
    this.onChange();
  }

  /** What a decoder that takes this one's place is to know. */
  handOver(objects: readonly SelectedObject[]): Earlier {
    const masks = new Map<string, Decoded>();
    const preferred = new Map<string, Decoded>();
    for (const [key, index] of this.preferred) {
      const decoded = this.answers.get(key);
      if (decoded && index < decoded.scores.length) preferred.set(key, only(decoded, index));
    }
    for (const object of objects) {
      const prompt = promptOf(object);
      const decoded = this.answer(object);
      const index = this.chosen(object);
      if (!prompt || isFound(prompt) || !decoded || index === null) continue;
      const mask = only(decoded, index);
      masks.set(promptKey(prompt), mask);
      if (this.preference(object) !== null) preferred.set(promptKey(prompt), mask);
    }
    return { masks, preferred };
  }

  /** Put back what was kept elsewhere: the objects' answers, in their order. */
  restore(objects: readonly SelectedObject[], answers: readonly (Decoded | null)[]): void {
    objects.forEach((object, index) => {
      const prompt = promptOf(object);
      const decoded = answers[index];
      if (prompt && decoded) this.answers.set(promptKey(prompt), decoded);
    });
  }

  private async run(): Promise<void> {
    if (this.running) return;
    this.running = true;
    try {
      for (let prompt = this.next(); prompt; prompt = this.next()) {
        const key = promptKey(prompt);
        const guessed = prompt === this.foreseen;
        const start = performance.now();
        try {
          this.keep(key, await this.decode(prompt, this.previous(prompt)));
        } catch (error) {
          this.failed.add(key);
          if (!guessed || this.wanted.some((one) => promptKey(one) === key)) this.onError(error);
          continue;
        }
        this.took = performance.now() - start;
        this.onChange();
      }
    } finally {
      this.running = false;
    }
  }

  private next(): Prompt | undefined {
    for (const prompt of this.wanted) {
      if (isFound(prompt) || this.known(prompt) !== null) continue;
      const way = this.way(prompt);
      const step = way[way.findLastIndex((one) => this.known(one) !== null) + 1];
      if (step && !this.failed.has(promptKey(step))) return step;
    }
    const next = this.foreseen;
    if (!next || this.known(next) !== null || this.failed.has(promptKey(next))) return undefined;
    return next;
  }

  /**
   * The prompts to be decoded for this one: it alone, as those before it have been. Those of an
   * earlier decoder are gone through once more, as each refines the mask of the one before.
   */
  private way(prompt: Prompt): Prompt[] {
    if (!this.earlier.masks.has(promptKey(prompt))) return [prompt];
    const before = ancestors(prompt).filter((one) => !isFound(one));
    return [...before.reverse(), prompt];
  }

  private previous(prompt: Prompt): Logits | null {
    for (const ancestor of ancestors(prompt)) {
      const decoded = this.known(ancestor);
      if (decoded) {
        const key = promptKey(ancestor);
        const preferred = this.preferred.get(key) ?? this.alike.get(key) ?? Number.NaN;
        const fits = preferred < decoded.scores.length;
        const index = fits ? preferred : proposed(decoded, ancestor, this.singleMaskIndex);
        return maskAt(decoded, index);
      }
    }
    return null;
  }

  private known(prompt: Prompt): Decoded | null {
    if (isFound(prompt)) return this.found[prompt.found ?? 0] ?? null;
    const key = promptKey(prompt);
    const mine = this.earlierStand ? this.earlier.masks.get(key) : undefined;
    return mine ?? this.answers.get(key) ?? null;
  }

  private keep(key: string, decoded: Decoded): void {
    this.answers.set(key, decoded);
    const liked = this.earlier.preferred.get(key);
    if (liked) this.alike.set(key, nearest(decoded, maskAt(liked, 0)));
    const wanted = new Set(this.wanted.map(promptKey));
    for (const oldest of this.answers.keys()) {
      if (this.answers.size <= KEPT) break;
      if (oldest !== key && !wanted.has(oldest)) this.answers.delete(oldest);
    }
  }
}
