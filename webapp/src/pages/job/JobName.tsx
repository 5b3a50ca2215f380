import { Check, Pencil } from "lucide-react";
import { useState } from "react";
import { MAX_NAME } from "../../api/domain";
import type { JobView } from "../../api/types";
import { useServices } from "../../services";
import { job as said } from "../../texts/en/job";
import { sentenceOf } from "../../texts/sentence";
import { useTexts } from "../../texts/texts";
import { useJobUpdate } from "./useJob";

/** The job's name, which can be changed in place. */
export function JobName({ job }: { job: JobView }) {
  const t = useTexts(said);
  const { api } = useServices();
  const { put } = useJobUpdate(job.jobId);
  const [name, setName] = useState<string | null>(null);
  const [error, setError] = useState("");

  async function save(): Promise<void> {
    const wanted = name?.trim();
    if (wanted && wanted !== job.name) {
      try {
        await put(await api.renameJob(job.jobId, wanted));
      } catch (failure) {
        setError(sentenceOf(failure));
        return;
      }
    }
    setError("");
    setName(null);
  }

  if (name === null) {
    return (
      <div className="job-name">
        <h1>{job.name}</h1>
        <button
          type="button"
          className="icon-button"
          aria-label={t.rename}
          onClick={() => setName(job.name)}
        >
          <Pencil />
        </button>
      </div>
    );
  }
  return (
    <form
      className="job-name"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <input
        className="input"
        value={name}
        maxLength={MAX_NAME}
        aria-label={t.name}
        aria-invalid={error !== ""}
        // biome-ignore lint/a11y/noAutofocus: the person has just asked for this field.
        autoFocus
        onChange={(event) => setName(event.target.value)}
        onKeyDown={(event) => event.key === "Escape" && setName(null)}
      />
      <button type="submit" className="icon-button" aria-label={t.saveName}>
        <Check />
      </button>
      {error && <span role="alert">{error}</span>}
    </form>
  );
}
