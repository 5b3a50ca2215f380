import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { postForm } from "../src/api/form";

/** What a browser has for uploads that tell how far they are. */
class Request {
  static last: Request;
  readonly upload: { onprogress?: (event: { loaded: number; total: number }) => void } = {};
  onload?: () => void;
  onerror?: () => void;
  onabort?: () => void;
  onloadend?: () => void;
  status = 0;
  opened: string[] = [];
  sent: FormData | null = null;

  constructor() {
    Request.last = this;
  }

  open(...opened: string[]): void {
    this.opened = opened;
  }

  send(body: FormData): void {
    this.sent = body;
  }

  abort(): void {
    this.onabort?.();
    this.onloadend?.();
  }

  answers(status: number): void {
    this.status = status;
    if (status) this.onload?.();
    else this.onerror?.();
    this.onloadend?.();
  }
}

const form = { url: "https://bucket", fields: { key: "k", policy: "p" } };
const post = (onProgress: (share: number) => void = () => undefined) =>
  postForm(form, new Blob(["photo"]), onProgress);

beforeEach(() => {
  vi.stubGlobal("XMLHttpRequest", Request);
  vi.useFakeTimers();
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("a file that goes to a signed form", () => {
  it("comes after the form's fields, and tells how much of it has gone", async () => {
    const told = vi.fn();
    const posted = post(told);
    const request = Request.last;
    expect(request.opened).toEqual(["POST", "https://bucket"]);
    expect([...(request.sent?.keys() ?? [])]).toEqual(["key", "policy", "file"]);
    request.upload.onprogress?.({ loaded: 1, total: 4 });
    request.answers(204);
    await posted;
    expect(told.mock.calls).toEqual([[0.25]]);
  });

  it.each([
    [0, "UploadFailed", true, "Check the connection"],
    [403, "UploadExpired", false, "has ended"],
    [400, "UploadFailed", false, "(400)"],
    [503, "UploadFailed", true, "(503)"],
    [507, "UploadFailed", true, "(507)"],
  ])("is refused with %i as %s", async (status, name, transient, words) => {
    const posted = post();
    Request.last.answers(status);
    const message = expect.stringContaining(words);
    await expect(posted).rejects.toMatchObject({ name, status, transient, message });
  });

  it("is given up when it has not moved for a minute, and not before", async () => {
    const posted = post();
    const refused = expect(posted).rejects.toMatchObject({ name: "UploadFailed", status: 0 });
    const aborted = vi.spyOn(Request.last, "abort");
    vi.advanceTimersByTime(50_000);
    Request.last.upload.onprogress?.({ loaded: 1, total: 2 });
    vi.advanceTimersByTime(50_000);
    expect(aborted).not.toHaveBeenCalled();
    vi.advanceTimersByTime(11_000);
    expect(aborted).toHaveBeenCalledOnce();
    await refused;
  });
});
