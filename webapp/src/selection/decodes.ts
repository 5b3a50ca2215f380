import type { Logits } from "./mask";
import {
  ancestors,
  candidates,
  type Decoded,
  isFound,
  maskAt,
  type Prompt,
  promptKey,
  promptOf,
  proposed,
} from "./prompt";
import type { SelectedObject } from "./selection";

/** Asks the decoder; `previous` is the mask that this prompt refines. */
export type Decode = (prompt: Prompt, previous: Logits | null) => Promise<Decoded>;

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
  private wanted: Prompt[] = [];
  private running = false;

  constructor(
    private readonly decode: Decode,
    private readonly singleMaskIndex: number | null,
    private readonly found: readonly Decoded[],
    private readonly onChange: () => void,
    private readonly onError: (error: unknown) => void,
  ) {}

  /** Say what is needed, the most urgent first; earlier wishes are forgotten. */
  want(objects: readonly SelectedObject[]): void {
    for (const object of objects) {
      const prompt = promptOf(object);
      if (prompt && object.candidate !== null) {
        this.preferred.set(promptKey(prompt), object.candidate);
      }
    }
    this.wanted = objects.map(promptOf).filter((prompt) => prompt !== null);
    void this.run();
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
    return object.candidate ?? proposed(decoded, prompt, this.singleMaskIndex);
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

  /** Put back an answer that was kept elsewhere. */
  restore(object: SelectedObject, decoded: Decoded): void {
    const prompt = promptOf(object);
    if (prompt) this.answers.set(promptKey(prompt), decoded);
  }

  private async run(): Promise<void> {
    if (this.running) return;
    this.running = true;
    try {
      for (let prompt = this.next(); prompt; prompt = this.next()) {
        this.keep(promptKey(prompt), await this.decode(prompt, this.previous(prompt)));
        this.onChange();
      }
    } catch (error) {
      this.wanted = [];
      this.onError(error);
    } finally {
      this.running = false;
    }
  }

  private next(): Prompt | undefined {
    return this.wanted.find((prompt) => !isFound(prompt) && this.known(prompt) === null);
  }

  private previous(prompt: Prompt): Logits | null {
    for (const ancestor of ancestors(prompt)) {
      const decoded = this.known(ancestor);
      if (decoded) {
        const preferred = this.preferred.get(promptKey(ancestor));
        const index = preferred ?? proposed(decoded, ancestor, this.singleMaskIndex);
        return maskAt(decoded, index);
      }
    }
    return null;
  }

  private known(prompt: Prompt): Decoded | null {
    if (isFound(prompt)) return this.found[prompt.found ?? 0] ?? null;
    return this.answers.get(promptKey(prompt)) ?? null;
  }

  private keep(key: string, decoded: Decoded): void {
    this.answers.set(key, decoded);
    for (const oldest of this.answers.keys()) {
      if (this.answers.size <= KEPT) break;
      this.answers.delete(oldest);
    }
  }
}
