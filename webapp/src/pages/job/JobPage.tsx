import { type ReactNode, Suspense, useEffect } from "react";
import { Link } from "wouter";
import { ApiError } from "../../api/error";
import type { JobView } from "../../api/types";
import { drop, dropJob } from "../../kept/kept";
import { common } from "../../texts/en/common";
import { job as said } from "../../texts/en/job";
import { statuses } from "../../texts/en/statuses";
import { texts, useTexts } from "../../texts/texts";
import { useCause, useWaiting } from "../../ui/connection";
import { ErrorNote } from "../../ui/ErrorNote";
import { lazily } from "../../ui/lazily";
import { Spinner } from "../../ui/Spinner";
import { AwaitingMask } from "./AwaitingMask";
import { CancelJob } from "./CancelJob";
import { Ended } from "./Ended";
import { JobName } from "./JobName";
import { Preparing } from "./Preparing";
import { Reconstructing } from "./Reconstructing";
import { STATUSES } from "./statuses";
import { Timeline } from "./Timeline";
import { Upload } from "./Upload";
import { type SeenJob, useJob } from "./useJob";
import "./job.css";

const Result = lazily(
  () => texts(said).result,
  () => import("../result/Result"),
);

/** A job at whatever step it is; every step can be reloaded. */
export default function JobPage({ jobId }: { jobId: string }) {
  const t = useTexts(said);
  const news = useTexts(statuses);
  const { data: job, error, refetch } = useJob(jobId);
  const gone = isGone(error);
  useTidy(jobId, job, gone);
  const cause = useCause(error, job !== undefined);
  useWaiting(cause, t.waiting, () => void refetch());
  const told = cause === null ? error : null;
  return (
    <>
      <title>{`${job ? `${news[job.status].news} · ${job.name}` : t.job} · Gen3D`}</title>
      {/* It stays while the steps come and go: what is new in it is read out. */}
      <p className="visually-hidden" role="status">
        {job && news[job.status].news}
      </p>
      {job && !gone && <Loaded job={job} error={told} />}
      {told && (!job || gone) && <Unavailable error={told} retry={() => void refetch()} />}
      {!job && !told && <Spinner label={t.loading} />}
    </>
  );
}

/** Deleted, or somebody else's: the server does not tell the two apart. */
function isGone(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404;
}

/** Drop what was kept for the server, once the record says that the server has it. */
function useTidy(jobId: string, job: SeenJob | undefined, gone: boolean): void {
  const told = job && !job.expected;
  const photo = told && job.status !== "CREATED";
  const masks = told && job.objects.length > 0;
  useEffect(() => {
    if (gone || masks) void dropJob(jobId);
    else if (photo) void drop("photo", jobId);
  }, [jobId, gone, masks, photo]);
}

function Loaded({ job, error }: { job: JobView; error: unknown }) {
  const { loading } = useTexts(common);
  return (
    <div className="page job">
      <header className="job-head">
        <JobName job={job} />
        <CancelJob job={job} />
      </header>
      <Timeline job={job} />
      {error !== null && <ErrorNote error={error} />}
      <Suspense fallback={<Spinner label={loading} />}>
        <Step job={job} />
      </Suspense>
    </div>
  );
}

function Step({ job }: { job: JobView }): ReactNode {
  const { loading } = useTexts(common);
  const made = job.objects.some((object) => object.files);
  const drafted = job.objects.some((object) => object.draft);
  const shown = STATUSES[job.status];
  if (shown.ended) {
    return (
      <>
        <Ended job={job} />
        {(made || drafted) && (
          <Suspense fallback={<Spinner label={loading} />}>
            <Result job={job} />
          </Suspense>
        )}
      </>
    );
  }
  switch (shown.screen) {
    case "upload":
      return <Upload job={job} />;
    case "preparing":
      return <Preparing job={job} />;
    case "select":
      return <AwaitingMask job={job} />;
    case "reconstructing":
      // What an earlier run made stays in sight, and a draft until what it is a draft of is there.
      return drafted || (job.run > 1 && made) ? <Result job={job} /> : <Reconstructing job={job} />;
    case "result":
      return <Result job={job} />;
  }
}

function Unavailable({ error, retry }: { error: unknown; retry(): void }) {
  const t = useTexts(said);
  const { tryAgain } = useTexts(common);
  const missing = isGone(error);
  return (
    <section className="page narrow">
      <h1>{missing ? t.none : t.unavailable}</h1>
      <ErrorNote error={error}>
        {!missing && (
          <button type="button" className="button" onClick={retry}>
            {tryAgain}
          </button>
        )}
        <Link href="/gallery" className="button button-quiet">
          {t.toGallery}
        </Link>
      </ErrorNote>
    </section>
  );
}
