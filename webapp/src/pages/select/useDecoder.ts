import { useEffect, useState } from "react";
import type { JobView } from "../../api/types";
import { Decoder } from "../../decoder/decoder";
import type { Opened } from "../../decoder/protocol";

export type DecoderState =
  | { state: "loading"; share: number | null }
  | ({ state: "ready"; decoder: Decoder } & Opened)
  | { state: "failed"; error: unknown };

/** The decoder of a job's engine with the job's embeddings; `attempt` loads it anew. */
export function useDecoder(job: JobView, attempt: number): DecoderState {
  const [state, setState] = useState<DecoderState>({ state: "loading", share: null });
  const { jobId } = job;
  // biome-ignore lint/correctness/useExhaustiveDependencies: links change, what they lead to does not.
  useEffect(() => {
    const { decoder: model, embeddings } = job;
    if (!model || !embeddings) {
      const error = new Error("The prepared photo is missing. Start a new job with this photo.");
      setState({ state: "failed", error });
      return;
    }
    let current = true;
    setState({ state: "loading", share: null });
    const decoder = new Decoder((loaded, total) => {
      if (current) setState({ state: "loading", share: loaded / total });
    });
    const { engine, revision, url } = model;
    decoder.open({ engine, revision, decoderUrl: url, embeddingsUrl: embeddings.url }).then(
      (opened) => current && setState({ state: "ready", decoder, ...opened }),
      (error) => current && setState({ state: "failed", error }),
    );
    return () => {
      current = false;
      decoder.close();
    };
  }, [jobId, attempt]);
  return state;
}
