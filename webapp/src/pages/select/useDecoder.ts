import { useCallback, useEffect, useRef, useState } from "react";
import type { JobView } from "../../api/types";
import { Decoder } from "../../decoder/decoder";
import type { Opened } from "../../decoder/protocol";
import { select as said } from "../../texts/en/select";
import { texts } from "../../texts/texts";

export type Ready = { state: "ready"; decoder: Decoder } & Opened;

export type DecoderState =
  | { state: "loading"; share: number | null; loaded: number }
  | Ready
  | { state: "failed"; error: unknown };

const LOADING: DecoderState = { state: "loading", share: null, loaded: 0 };

export interface Decoders {
  /** What answers clicks. */
  readonly decoder: DecoderState;
  /** A better one, loaded beside it: `change` has it answer from then on. */
  readonly better: Ready | null;
  /** Why a better one could not be loaded; the one that is there goes on. */
  readonly failure: unknown;
  change(): void;
}

/**
 * The decoder of a job's engine with the job's embeddings; `attempt` loads it anew. Where the job
 * names another, that one is loaded in a worker of its own, and takes the first one's place when
 * the page asks for it: a change that nobody asks for would fall into the midst of a gesture.
 */
export function useDecoder(job: JobView, attempt: number): Decoders {
  /** Of the decoder that the job names now. */
  const [newest, setNewest] = useState<DecoderState>(LOADING);
  const [used, setUsed] = useState<Ready | null>(null);
  const inUse = useRef<Decoder | null>(null);
  const { jobId, decoder: model, embeddings } = job;
  const key = model && embeddings && `${model.engine} ${model.revision}`;

  const take = useCallback((ready: Ready) => {
    inUse.current?.close();
    inUse.current = ready.decoder;
    setUsed(ready);
  }, []);

  // biome-ignore lint/correctness/useExhaustiveDependencies: links change, what they lead to does not.
  useEffect(() => {
    if (!model || !embeddings) {
      const error = new Error(texts(said).missing);
      setNewest({ state: "failed", error });
      return;
    }
    let current = true;
    setNewest(LOADING);
    const decoder = new Decoder((loaded, total) => {
      if (current) setNewest({ state: "loading", share: total && loaded / total, loaded });
    });
    const { engine, revision, url } = model;
    decoder.open({ engine, revision, decoderUrl: url, embeddingsUrl: embeddings.url }).then(
      (opened) => {
        if (!current) return;
        const ready: Ready = { state: "ready", decoder, ...opened };
        setNewest(ready);
        if (!inUse.current) take(ready);
      },
      (error) => current && setNewest({ state: "failed", error }),
    );
    return () => {
      current = false;
      if (inUse.current !== decoder) decoder.close();
    };
  }, [jobId, key, attempt]);

  useEffect(
    () => () => {
      inUse.current?.close();
      inUse.current = null;
    },
    [],
  );

  const better = used && newest.state === "ready" && newest !== used ? newest : null;
  return {
    decoder: used ?? newest,
    better,
    failure: used && newest.state === "failed" ? newest.error : null,
    change: useCallback(() => better && take(better), [better, take]),
  };
}
