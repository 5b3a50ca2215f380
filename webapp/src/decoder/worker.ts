/** The decoder off the page's thread: one photo at a time, requests answered in their order. */

import { encode } from "fast-png";
import { renderMask } from "../selection/mask";
import { DecoderError } from "./failure";
import { fetchFiles } from "./files";
import type { FromWorker, Requests, Source, ToWorker } from "./protocol";
import { DecoderSession } from "./session";

let session: DecoderSession | null = null;
let turn: Promise<void> = Promise.resolve();

self.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  turn = turn.then(() => answer(data));
};

async function answer(request: ToWorker): Promise<void> {
  try {
    const result = await handle(request);
    post({ id: request.id, result }, transferable(result));
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    post({ id: request.id, error: { name, message } });
  }
}

function handle(request: ToWorker): Promise<Requests[keyof Requests]["answer"]> {
  switch (request.kind) {
    case "open":
      return open(request.payload);
    case "decode":
      if (!session) {
        throw new DecoderError(
          "DecoderStopped",
          "The selection tool is not loaded yet. Reload the page.",
        );
      }
      return session.decode(request.payload.prompt, request.payload.previous);
    case "png":
      return Promise.resolve(png(request.payload));
  }
}

async function open(source: Source) {
  const [model, embeddings] = await fetchFiles(
    [
      { url: source.decoderUrl, keep: true },
      { url: source.embeddingsUrl, keep: false },
    ],
    (loaded, total) => post({ loaded, total }),
  );
  if (!model || !embeddings)
    throw new DecoderError("DecoderUnavailable", "The selection tool could not be loaded. Reload.");
  session = await DecoderSession.open(model, embeddings, source, source.threads);
  return { meta: session.meta, found: session.found };
}

function png({ logits, strokes, photo }: Requests["png"]["send"]): ArrayBuffer {
  const mask = renderMask({ strokes }, logits, photo, photo);
  for (let i = 0; i < mask.length; i++) if (mask[i]) mask[i] = 255;
  const file = encode({ ...photo, data: mask, channels: 1, depth: 8 });
  return file.slice().buffer as ArrayBuffer;
}

function transferable(result: Requests[keyof Requests]["answer"]): Transferable[] {
  if (result instanceof ArrayBuffer) return [result];
  return "masks" in result ? [result.masks.buffer as ArrayBuffer] : [];
}

function post(message: FromWorker, transfer: Transferable[] = []): void {
  self.postMessage(message, { transfer });
}
