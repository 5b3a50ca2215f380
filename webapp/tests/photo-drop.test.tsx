// @vitest-environment happy-dom

import { act } from "react";
import { createRoot, type Root } from "react-dom/client";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { PhotoDrop } from "../src/pages/PhotoDrop";
import type { Photo } from "../src/photo/photo";
import { refuseStrayDrops } from "../src/ui/drops";

/** What ends the reading of a photo that takes its time, as a HEIC does. */
const read = vi.hoisted(() => new Map<string, () => void>());

vi.mock("../src/photo/photo", () => ({
  checkPhoto: async (blob: Blob, name: string) => {
    if (name.endsWith(".heic")) await new Promise<void>((done) => read.set(name, done));
    return { blob, name, type: "image/jpeg" };
  },
}));

vi.mock("../src/photo/samples", () => ({ SAMPLES: [] }));

let root: Root | null = null;
let taken: string[] = [];

const file = (name: string) => new File(["photo"], name);

/** Drop files, or with none a text, on something; says whether the browser leaves the page alone. */
async function drop(target: Element, ...files: File[]): Promise<boolean> {
  const types = files.length > 0 ? ["Files"] : ["text/plain"];
  const event = new Event("drop", { bubbles: true, cancelable: true });
  const dataTransfer = { files, types, dropEffect: "copy" };
  await act(async () => target.dispatchEvent(Object.assign(event, { dataTransfer })));
  return event.defaultPrevented;
}

async function open(): Promise<void> {
  root = createRoot(document.body.appendChild(document.createElement("div")));
  const onPhoto = ({ name }: Photo) => taken.push(name);
  await act(async () => root?.render(<PhotoDrop onPhoto={onPhoto} samples={false} />));
}

beforeEach(() => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
  taken = [];
});

afterEach(async () => {
  await act(async () => root?.unmount());
  document.body.replaceChildren();
  vi.unstubAllGlobals();
});

it("a photo that is dropped beside the field is taken, too", async () => {
  await open();
  expect(await drop(document.body, file("cup.jpg"))).toBe(true);
  expect(taken).toEqual(["cup.jpg"]);
});

it("of two that are chosen one after the other the second is taken, and the wait is told", async () => {
  await open();
  await drop(document.body, file("cup.heic"));
  expect(document.querySelector("[role=status]")?.textContent).toContain("Reading the photo");
  await drop(document.body, file("plate.heic"));
  await act(async () => read.get("cup.heic")?.());
  expect(document.querySelector("[role=status]")).not.toBeNull();
  await act(async () => read.get("plate.heic")?.());
  expect(taken).toEqual(["plate.heic"]);
  expect(document.querySelector("[role=status]")).toBeNull();
});

it("of several files none is taken in silence", async () => {
  await open();
  await drop(document.querySelector(".drop") as Element, file("cup.jpg"), file("plate.jpg"));
  expect(taken).toEqual([]);
  expect(document.querySelector("[role=alert]")?.textContent).toContain("Those were 2 files");
});

it("a text that is dropped is the browser's, unless it is meant for the field", async () => {
  await open();
  expect(await drop(document.body)).toBe(false);
  expect(await drop(document.querySelector(".drop") as Element)).toBe(true);
  expect(document.querySelector("[role=alert]")?.textContent).toContain("That was no file");
});

it("where no photo is asked for, a dropped file does not take the page's place", async () => {
  expect(await drop(document.body, file("cup.jpg"))).toBe(false);
  refuseStrayDrops();
  expect(await drop(document.body, file("cup.jpg"))).toBe(true);
  expect(await drop(document.body)).toBe(false);
});

it.each([
  ["a HEIC photo where the page has to read it", "Google Inc.", 5, true],
  ["a HEIC photo on a Mac", "Apple Computer, Inc.", 0, true],
  ["none on a phone that makes a JPEG of it", "Apple Computer, Inc.", 5, false],
])("asks for %s", async (_, vendor, maxTouchPoints, asked) => {
  vi.stubGlobal("navigator", { ...navigator, vendor, maxTouchPoints });
  await open();
  const { accept } = document.querySelector("[aria-label=Photo]") as HTMLInputElement;
  expect(accept).toContain("image/avif");
  expect(accept.includes("image/heic")).toBe(asked);
});
