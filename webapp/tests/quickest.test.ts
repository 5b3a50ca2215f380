import { describe, expect, it, vi } from "vitest";
import { Quickest } from "../src/decoder/quickest";
import type { Feeds, Runtime } from "../src/decoder/runtime";
import { trial } from "../src/decoder/trial";
import type { Decoded } from "../src/selection/prompt";

const PROMPT: Feeds = {};

function answer(share: number, score = 0.8): Decoded {
  const masks = Float32Array.from({ length: 100 }, (_, pixel) => (pixel < share * 100 ? 1 : -1));
  return { masks, width: 10, height: 10, scores: [score] };
}

/** Answers after so many milliseconds of a clock that only moves by it. */
class Processor implements Runtime {
  readonly decode = vi.fn(async (): Promise<Decoded> => {
    if (this.broken) throw new Error("The GPU was lost.");
    clock += this.ms;
    return this.gives;
  });
  readonly close = vi.fn();
  broken = false;

  constructor(
    private readonly ms: number,
    readonly gives: Decoded,
  ) {}
}

let clock = 0;
vi.spyOn(performance, "now").mockImplementation(() => clock);

async function clickedOnce(gpu: Processor, kept?: "gpu" | "wasm") {
  const wasm = new Processor(100, answer(0.5));
  const open = vi.fn(async () => gpu as Runtime);
  const choices = { read: vi.fn(async () => kept), write: vi.fn(async () => undefined) };
  const quickest = new Quickest(wasm, (prompt, expected) =>
    trial({ choices, open }, wasm, prompt, expected),
  );
  await quickest.decode(PROMPT);
  await vi.waitFor(() => expect(choices.read).toHaveBeenCalled());
  await new Promise((done) => setTimeout(done));
  const answered = await quickest.decode(PROMPT);
  return { quickest, wasm, open, choices, answered };
}

describe("where a decoder runs", () => {
  it("is the GPU once it has given the same mask sooner", async () => {
    const gpu = new Processor(20, answer(0.5));
    const { answered, choices, wasm } = await clickedOnce(gpu);
    expect(answered).toBe(gpu.gives);
    expect(choices.write.mock.calls).toEqual([["gpu"]]);
    expect(wasm.decode).toHaveBeenCalledTimes(4);
  });

  it.each([
    ["is slower", new Processor(120, answer(0.5))],
    ["gives another mask", new Processor(20, answer(0.52))],
    ["is surer of it", new Processor(20, answer(0.5, 0.85))],
    ["takes seconds to start", new Processor(6_000, answer(0.5))],
  ])("is WebAssembly where the GPU %s", async (_, gpu) => {
    const { answered, choices, wasm } = await clickedOnce(gpu);
    expect(answered).toBe(wasm.gives);
    expect(choices.write.mock.calls).toEqual([["wasm"]]);
    expect(gpu.close).toHaveBeenCalledOnce();
  });

  it("is tried by the mask that was answered, though that is another thread's by then", async () => {
    const wasm = new Processor(100, answer(0.5));
    const later = vi.fn(async (_: Feeds, expected: Decoded) => {
      await new Promise((done) => setTimeout(done));
      return expected.masks.length === 100 ? new Processor(20, answer(0.5)) : null;
    });
    const { masks } = await new Quickest(wasm, later).decode(PROMPT);
    structuredClone(masks, { transfer: [masks.buffer as ArrayBuffer] });
    expect(await later.mock.results[0]?.value).not.toBeNull();
  });

  it("is not tried again where it was found to be slower", async () => {
    const { open } = await clickedOnce(new Processor(20, answer(0.5)), "wasm");
    expect(open).not.toHaveBeenCalled();
  });

  it("is the GPU without a race where one was won, if the mask is still the same", async () => {
    const won = new Processor(20, answer(0.5));
    expect((await clickedOnce(won, "gpu")).answered).toBe(won.gives);
    expect(won.decode).toHaveBeenCalledTimes(2);
    const wrong = await clickedOnce(new Processor(20, answer(0.2)), "gpu");
    expect(wrong.answered).toBe(wrong.wasm.gives);
    expect(wrong.choices.write.mock.calls).toEqual([["wasm"]]);
  });

  it("goes on in WebAssembly when the GPU is lost, and says nothing", async () => {
    const gpu = new Processor(20, answer(0.5));
    const { quickest, wasm, choices } = await clickedOnce(gpu);
    gpu.broken = true;
    expect(await quickest.decode(PROMPT)).toBe(wasm.gives);
    expect(gpu.close).toHaveBeenCalledOnce();
    const asked = gpu.decode.mock.calls.length;
    expect(await quickest.decode(PROMPT)).toBe(wasm.gives);
    expect(gpu.decode).toHaveBeenCalledTimes(asked);
    expect(choices.write.mock.calls).toEqual([["gpu"]]);
  });

  it("is WebAssembly for this visit where the GPU fails in its trial", async () => {
    const gpu = new Processor(20, answer(0.5));
    gpu.broken = true;
    const { answered, choices, wasm } = await clickedOnce(gpu);
    expect(answered).toBe(wasm.gives);
    expect(choices.write).not.toHaveBeenCalled();
    expect(gpu.close).toHaveBeenCalledOnce();
  });
});
