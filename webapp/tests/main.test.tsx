import type { ReactNode } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { afterEach, describe, expect, it, vi } from "vitest";

const render = vi.hoisted(() => vi.fn<(page: ReactNode) => void>());
vi.mock("react-dom/client", () => ({ createRoot: () => ({ render }) }));

afterEach(() => void vi.unstubAllGlobals());

describe("the start", () => {
  it("says what to do without a connection, even where storage is refused", async () => {
    vi.stubGlobal("window", new EventTarget());
    vi.stubGlobal("document", { getElementById: () => ({}), querySelector: () => null });
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
    Object.defineProperty(globalThis, "localStorage", {
      configurable: true,
      get: () => {
        throw new DOMException("denied", "SecurityError");
      },
    });
    await import("../src/main");
    await vi.waitFor(() => expect(render).toHaveBeenCalled());
    const html = renderToStaticMarkup(render.mock.lastCall?.[0]);
    expect(html).toContain("Check the connection");
    expect(html).toContain("Reload</button>");
    // It imports the whole app.
  }, 30_000);
});
