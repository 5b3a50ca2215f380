// @vitest-environment happy-dom
import { act } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { AskedKeys } from "../src/ui/AskedKeys";

let root: Root;
beforeEach(() => {
  (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
  document.body.innerHTML = "<div id='root'></div><input id='name'>";
  root = createRoot(document.getElementById("root") as HTMLElement);
  act(() => root.render(<AskedKeys />));
});
afterEach(() => act(() => root.unmount()));

const press = (at: EventTarget) =>
  act(async () => {
    at.dispatchEvent(new KeyboardEvent("keydown", { key: "?", bubbles: true, cancelable: true }));
    await new Promise((resolve) => setTimeout(resolve, 20));
  });
const shown = () => document.querySelector("dialog")?.textContent ?? "";

it("shows the keys to who asks for them, on whichever page", async () => {
  await press(document.body);
  await vi.waitFor(() => expect(shown()).toContain("With the focus on a model"));
  expect(shown()).toContain("While selecting");
});

it("leaves a question mark that is typed, and one that the selection has heard", async () => {
  await press(document.getElementById("name") as HTMLElement);
  expect(shown()).toBe("");
  document.body.addEventListener("keydown", (event) => event.preventDefault(), { once: true });
  await press(document.body);
  expect(shown()).toBe("");
});
