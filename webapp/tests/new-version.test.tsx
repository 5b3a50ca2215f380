import { renderToStaticMarkup } from "react-dom/server";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

const page = (script: string) => `<html><script type="module" src="${script}"></script></html>`;
const fetcher = vi.fn<() => Promise<Response>>();

beforeEach(() => {
  vi.resetModules();
  fetcher.mockReset();
  vi.stubGlobal("window", new EventTarget());
  vi.stubGlobal("fetch", fetcher);
  vi.stubGlobal("document", {
    querySelector: () => ({ getAttribute: () => "/assets/index-one.js" }),
  });
});

afterEach(() => void vi.unstubAllGlobals());

/** What a page says when a part of it could not be loaded. */
async function said(): Promise<string> {
  const { NewVersion, watchVersion } = await import("../src/ui/NewVersion");
  watchVersion();
  expect(renderToStaticMarkup(<NewVersion />)).toBe("");
  const event = new Event("vite:preloadError", { cancelable: true });
  window.dispatchEvent(event);
  // Whoever asked for that part has to hear of it, too.
  expect(event.defaultPrevented).toBe(false);
  await vi.waitFor(() => expect(fetcher).toHaveBeenCalledOnce());
  await new Promise((resolve) => setTimeout(resolve));
  return renderToStaticMarkup(<NewVersion />);
}

describe("a part that does not load", () => {
  it("went with an earlier version where the server has another script", async () => {
    fetcher.mockResolvedValue(new Response(page("/assets/index-two.js")));
    const html = await said();
    expect(html).toContain("A new version of Gen3D is out");
    expect(html).toContain("Reload</button>");
  });

  it.each([
    ["the version is the same", async () => new Response(page("/assets/index-one.js"))],
    ["the connection is lost", () => Promise.reject(new TypeError("Failed to fetch"))],
    ["the server has trouble", async () => new Response("<html>", { status: 503 })],
  ])("says nothing of versions where %s", async (_, answer) => {
    fetcher.mockImplementation(answer);
    expect(await said()).toBe("");
  });
});
