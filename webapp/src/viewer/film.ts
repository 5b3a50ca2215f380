/** A film of a canvas, by the browser's own recorder. */

import { viewer as said } from "../texts/en/viewer";
import { texts } from "../texts/texts";

const FRAMES = 30;
const BITS = 8_000_000;

/** What browsers record, the better first; Safari has MP4 alone. */
const KINDS = [
  { type: "video/webm;codecs=vp9", ending: "webm" },
  { type: "video/webm;codecs=vp8", ending: "webm" },
  { type: "video/webm", ending: "webm" },
  { type: "video/mp4", ending: "mp4" },
] as const;

export interface Film {
  readonly film: Blob;
  readonly ending: "webm" | "mp4";
}

function kind() {
  if (typeof MediaRecorder === "undefined") return undefined;
  return KINDS.find(({ type }) => MediaRecorder.isTypeSupported(type));
}

/** Whether this browser can. */
export function canFilm(): boolean {
  return kind() !== undefined;
}

/**
 * Record for so long what is drawn.
 *
 * @param draw Called for each frame of the screen with the share of the time that has passed.
 * @throws Error where the browser cannot, or gives up.
 */
export async function record(
  canvas: HTMLCanvasElement,
  milliseconds: number,
  draw: (share: number) => void,
): Promise<Film> {
  const found = kind();
  if (!found) throw new Error(texts(said).noFilms);
  draw(0);
  const stream = canvas.captureStream(FRAMES);
  const recorder = new MediaRecorder(stream, { mimeType: found.type, videoBitsPerSecond: BITS });
  const parts: Blob[] = [];
  const done = new Promise<void>((resolve, reject) => {
    recorder.ondataavailable = ({ data }) => parts.push(data);
    recorder.onstop = () => resolve();
    recorder.onerror = () => reject(new Error(texts(said).filmFailed));
  });
  recorder.start();
  const start = performance.now();
  const turn = (now: number) => {
    const share = Math.min(1, (now - start) / milliseconds);
    draw(share);
    if (share < 1) requestAnimationFrame(turn);
    else recorder.stop();
  };
  requestAnimationFrame(turn);
  try {
    await done;
  } finally {
    for (const track of stream.getTracks()) track.stop();
  }
  return { film: new Blob(parts, { type: found.type.split(";")[0] ?? "" }), ending: found.ending };
}
