import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

class Kept extends Map<string, string> {
  getItem = (key: string) => this.get(key) ?? null;
  setItem = (key: string, value: string) => void this.set(key, value);
  removeItem = (key: string) => void this.delete(key);
}

/** Where cookies are blocked, even naming the storage throws. */
function refuse(): void {
  for (const storing of ["localStorage", "sessionStorage"]) {
    Object.defineProperty(globalThis, storing, {
      configurable: true,
      get: () => {
        throw new DOMException("denied", "SecurityError");
      },
    });
  }
}

beforeEach(() => {
  vi.resetModules();
  vi.stubGlobal("localStorage", new Kept());
  vi.stubGlobal("sessionStorage", new Kept());
});

afterEach(() => void vi.unstubAllGlobals());

/** A page just loaded. */
const load = () => import("../src/kept/notes");

describe("a word that is noted", () => {
  it("outlives the page where the browser keeps it", async () => {
    (await load()).note("localStorage", "theme", "dark");
    vi.resetModules();
    const { note, noted } = await load();
    expect(noted("localStorage", "theme")).toBe("dark");
    expect(noted("sessionStorage", "theme")).toBeNull();
    note("localStorage", "theme", null);
    expect(noted("localStorage", "theme")).toBeNull();
  });

  it("stays in the page where the browser refuses", async () => {
    const { note, noted } = await load();
    refuse();
    expect(noted("sessionStorage", "chosen")).toBeNull();
    note("sessionStorage", "chosen", "yes");
    expect(noted("sessionStorage", "chosen")).toBe("yes");
    note("sessionStorage", "chosen", null);
    expect(noted("sessionStorage", "chosen")).toBeNull();
  });

  it("is the newest, once the browser keeps things again", async () => {
    const { note, noted } = await load();
    refuse();
    note("localStorage", "theme", "dark");
    vi.stubGlobal("localStorage", new Kept());
    note("localStorage", "theme", "light");
    expect(noted("localStorage", "theme")).toBe("light");
    expect(localStorage.getItem("theme")).toBe("light");
  });
});

describe("the theme", () => {
  it("is changed where the browser refuses to keep it", async () => {
    const { applyTheme, currentTheme, toggleTheme } = await import("../src/ui/theme");
    const page = { documentElement: { dataset: {} as { theme?: string } } };
    vi.stubGlobal("document", page);
    vi.stubGlobal("matchMedia", () => ({ matches: false }));
    refuse();
    applyTheme();
    expect(currentTheme()).toBe("light");
    expect(toggleTheme()).toBe("dark");
    expect(page.documentElement.dataset.theme).toBe("dark");
    expect(toggleTheme()).toBe("light");
  });
});
