import { useCallback, useEffect, useRef, useState } from "react";
import { again } from "../../api/again";
import { DEFAULTS } from "../../api/chosen";
import type { JobView } from "../../api/types";
import type { Submission } from "../../kept/kept";
import { useServices } from "../../services";
import { common } from "../../texts/en/common";
import { job as said } from "../../texts/en/job";
import { useTexts } from "../../texts/texts";
import { isOffline } from "../../ui/connection";
import { ErrorNote } from "../../ui/ErrorNote";
import { Progress } from "../../ui/Progress";
import { useAutoRetry } from "../../ui/useAutoRetry";
import { loadAhead } from "../result/ahead";
import { useJobUpdate } from "./useJob";

interface Props {
  job: JobView;
  submission: Submission;
  onWithdraw(): void;
}

/** Upload the masks, then ask for the reconstruction. */
export function Sending({ job, submission, onWithdraw }: Props) {
  const t = useTexts(said);
  const { tryAgain } = useTexts(common);
  const { api } = useServices();
  const { accept, read } = useJobUpdate(job.jobId);
  const [sent, setSent] = useState(0);
  const [error, setError] = useState<unknown>(null);
  const started = useRef(false);
  const { objects, options = DEFAULTS } = submission;

  const send = useCallback(async () => {
    setError(null);
    setSent(0);
    try {
      const forms = await again(() => api.maskUploads(job.jobId, objects.length));
      for (const [index, form] of forms.entries()) {
        const mask = objects[index]?.mask;
        if (mask) await again(() => api.upload(form, mask, (share) => setSent(index + share)));
        setSent(index + 1);
      }
      const asked = objects.map(({ name }) => ({ name, options }));
      await accept(await api.reconstruct(job.jobId, asked), "RECONSTRUCTING");
    } catch (failure) {
      setError(failure);
      // The request may have arrived, and only its answer been lost.
      await read();
    }
  }, [api, job.jobId, objects, options, accept, read]);

  const waits = isOffline(error);
  useAutoRetry(error, t.waitingMasks, () => void send());
  // A draft is there within seconds.
  useEffect(loadAhead, []);

  useEffect(() => {
    if (started.current) return;
    started.current = true;
    void send();
  }, [send]);

  return (
    <section className="narrow-step" aria-live="polite">
      <h2>{t.sending(objects.length)}</h2>
      {(error === null || waits) && <Progress label={t.masks} share={sent / objects.length} />}
      {waits && (
        <p className="actions">
          <button type="button" className="button button-quiet" onClick={onWithdraw}>
            {t.backToSelection}
          </button>
        </p>
      )}
      {error !== null && !waits && (
        <ErrorNote error={error}>
          <button type="button" className="button" onClick={() => void send()}>
            {tryAgain}
          </button>
          <button type="button" className="button button-quiet" onClick={onWithdraw}>
            {t.backToSelection}
          </button>
        </ErrorNote>
      )}
    </section>
  );
}
