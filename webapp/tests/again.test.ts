import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { again, patience } from "../src/api/again";
import { ApiError } from "../src/api/error";
import { autoRetryDelay } from "../src/ui/useAutoRetry";

const failing = (...failures: Error[]) =>
  vi.fn(async () => {
    const failure = failures.shift();
    if (failure) throw failure;
    return "done";
  });
const lost = () => new ApiError("Offline", "No answer.", 0);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Let it go on for as long as it wants to. */
async function outcome(work: Promise<unknown>): Promise<unknown> {
  const settled = work.catch((error) => error);
  await vi.advanceTimersByTimeAsync(10 * 60_000);
  return settled;
}

describe("trying again", () => {
  it("gets over what passes", async () => {
    const task = failing(lost(), new ApiError("X", "Busy.", 503, 2));
    expect(await outcome(again(task))).toBe("done");
    expect(task).toHaveBeenCalledTimes(3);
  });

  it("ends after a few tries", async () => {
    const task = failing(...Array.from({ length: 9 }, lost));
    expect(await outcome(again(task))).toMatchObject({ name: "Offline" });
    expect(task).toHaveBeenCalledTimes(4);
  });

  it.each([
    ["is final", new ApiError("JobConflict", "It moved on.", 409)],
    ["is a limit of the person's", new ApiError("LimitReached", "Ten jobs.", 429, 1)],
    ["takes longer than a person watches", new ApiError("X", "Later.", 503, 120)],
    ["is a fault of ours", new TypeError("undefined is not a function")],
  ])("does not begin where a failure %s", async (_, failure) => {
    const task = failing(failure);
    expect(await outcome(again(task))).toBe(failure);
    expect(task).toHaveBeenCalledOnce();
  });

  it("waits longer each time, and never less than the server wants", () => {
    const waits = [0, 1, 2, 3].map((failures) => patience(failures, lost()));
    expect([...waits].sort((a, b) => a - b)).toEqual(waits);
    for (let time = 0; time < 50; time++) {
      expect(patience(0, new ApiError("X", "Busy.", 429, 7))).toBeGreaterThanOrEqual(7000);
    }
  });
});

describe("what was refused for a while", () => {
  it.each([
    ["a lost connection", lost(), "online"],
    ["a limit that ends soon", new ApiError("LimitReached", "Ten jobs.", 429, 30), 30_000],
    ["a limit of the day", new ApiError("LimitReached", "A hundred jobs.", 429, 3600), null],
    ["what does not pass", new ApiError("JobConflict", "It moved on.", 409), null],
    ["a fault of ours", new TypeError("undefined"), null],
  ])("is asked for again by itself, or not: %s", (_, error, when) => {
    expect(autoRetryDelay(error)).toBe(when);
  });
});
