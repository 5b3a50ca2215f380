import { Download, Trash2, X } from "lucide-react";
import { useState } from "react";
import type { JobSummary } from "../api/types";
import { useServices } from "../services";
import { common } from "../texts/en/common";
import { files } from "../texts/en/files";
import { gallery } from "../texts/en/gallery";
import { useTexts } from "../texts/texts";
import { Confirm } from "../ui/Confirm";
import { ErrorNote } from "../ui/ErrorNote";
import { Progress } from "../ui/Progress";
import { useDialogTask } from "../ui/useDialogTask";
import { filesOfJobs } from "./result/packing";
import { usePacking } from "./usePacking";
import { useRemove } from "./useRemove";

interface Props {
  chosen: readonly JobSummary[];
  all: readonly JobSummary[];
  choose(jobs: readonly JobSummary[]): void;
  end(): void;
}

/** What is done with several jobs at once. */
export function GallerySelection({ chosen, all, choose, end }: Props) {
  const t = useTexts(gallery);
  const words = useTexts(common);
  const said = useTexts(files);
  const { api } = useServices();
  const remove = useRemove();
  const [asking, setAsking] = useState(false);
  const { work, leave, busy, error } = useDialogTask(() => setAsking(false));
  const { pack, share, error: failure } = usePacking();

  async function wanted() {
    const jobs = [];
    for (const { jobId } of chosen) jobs.push(await api.getJob(jobId));
    const found = filesOfJobs(jobs);
    if (found.length === 0) throw new Error(t.noModels);
    return found;
  }

  const none = chosen.length === 0;
  return (
    <section className="gallery-selection" aria-label={t.selectedJobs}>
      <span role="status">{t.selected(chosen.length)}</span>
      <button
        type="button"
        className="button button-quiet button-small"
        onClick={() => choose(chosen.length === all.length ? [] : all)}
      >
        {chosen.length === all.length ? t.none : t.all}
      </button>
      <button
        type="button"
        className="button button-quiet button-small"
        disabled={none || share !== null}
        onClick={() => void pack("models.zip", wanted)}
      >
        <Download aria-hidden="true" /> {share === null ? t.download : said.packing}
      </button>
      <button
        type="button"
        className="button button-quiet button-small"
        disabled={none}
        onClick={() => setAsking(true)}
      >
        <Trash2 aria-hidden="true" /> {words.delete}
      </button>
      <button type="button" className="button button-quiet button-small" onClick={end}>
        <X aria-hidden="true" /> {t.done}
      </button>
      {share !== null && <Progress label={said.packingZip} share={share} />}
      {failure !== null && <ErrorNote error={failure} />}
      <Confirm
        open={asking}
        title={t.askDeleteSeveral(chosen.length)}
        what={words.delete}
        confirm={() =>
          void work(async () => {
            for (const job of chosen) await remove(job);
          })
        }
        {...{ leave, busy, error }}
      >
        {t.severalDeleted}
      </Confirm>
    </section>
  );
}
