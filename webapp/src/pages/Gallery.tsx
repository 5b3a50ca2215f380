import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { Box, ImageOff, ListChecks, Pencil, Trash2 } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { Link } from "wouter";
import { about } from "../api/again";
import { MAX_NAME } from "../api/domain";
import type { JobPage, JobSummary } from "../api/types";
import { useServices } from "../services";
import { common } from "../texts/en/common";
import { gallery } from "../texts/en/gallery";
import { statuses } from "../texts/en/statuses";
import { useTexts } from "../texts/texts";
import { Confirm } from "../ui/Confirm";
import { useCause, useWaiting } from "../ui/connection";
import { Dialog } from "../ui/Dialog";
import { ErrorNote } from "../ui/ErrorNote";
import { date } from "../ui/format";
import { Spinner } from "../ui/Spinner";
import { useDialogTask } from "../ui/useDialogTask";
import { found, type Order } from "./found";
import { GallerySelection } from "./GallerySelection";
import { STATUSES } from "./job/statuses";
import { useRemove } from "./useRemove";
import "./gallery.css";

const FIRST_MS = 4000;
const MOST_MS = 20_000;

type Asking = { what: "rename" | "delete"; job: JobSummary };

/** One's jobs: found, ordered, and several of them taken at once. */
export default function Gallery() {
  const t = useTexts(gallery);
  const { tryAgain } = useTexts(common);
  const { api } = useServices();
  const [asking, setAsking] = useState<Asking | null>(null);
  const { wait, look } = useWait();
  const { data, error, hasNextPage, fetchNextPage, isFetchingNextPage, refetch } = useInfiniteQuery(
    {
      queryKey: ["jobs"],
      queryFn: async ({ pageParam }) => {
        const page = await api.listJobs(pageParam);
        if (pageParam === null) look(page);
        return page;
      },
      initialPageParam: null as string | null,
      getNextPageParam: (page) => page.cursor,
      // A tab that nobody sees asks for nothing; it asks anew when it is seen again.
      refetchInterval: ({ state }) =>
        state.data?.pages.some(({ jobs }) => jobs.some((job) => STATUSES[job.status].busy))
          ? wait.current
          : false,
    },
  );
  const cause = useCause(error, data !== undefined);
  useWaiting(cause, t.waiting, () => void refetch());
  const told = cause === null ? error : null;
  const jobs = data?.pages.flatMap((page) => page.jobs) ?? [];
  const [text, setText] = useState("");
  const [order, setOrder] = useState<Order>("newest");
  const [chosen, setChosen] = useState<ReadonlySet<string> | null>(null);
  // What is looked for may be on any page; so may what comes first.
  const whole = text.trim() !== "" || order !== "newest";
  useEffect(() => {
    if (whole && hasNextPage && !isFetchingNextPage && !error) void fetchNextPage();
  }, [whole, hasNextPage, isFetchingNextPage, error, fetchNextPage]);
  const shown = found(jobs, text, order);
  return (
    <div className="page gallery">
      <title>{`${t.gallery} · Gen3D`}</title>
      <header className="page-head">
        <h1>{t.gallery}</h1>
        <Link href="/" className="button">
          {t.newJob}
        </Link>
      </header>
      {told && (
        <ErrorNote error={told}>
          <button type="button" className="button" onClick={() => void refetch()}>
            {tryAgain}
          </button>
        </ErrorNote>
      )}
      {!data && !told && <Spinner label={t.loading} />}
      {data && jobs.length === 0 && <Empty />}
      {jobs.length > 0 && (
        <search className="gallery-tools">
          <input
            className="input"
            type="search"
            aria-label={t.search}
            placeholder={t.search}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
          <select
            className="input"
            aria-label={t.order}
            value={order}
            onChange={(event) => setOrder(event.target.value as Order)}
          >
            {Object.entries(t.orders).map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
          {chosen === null && (
            <button
              type="button"
              className="button button-quiet"
              onClick={() => setChosen(new Set())}
            >
              <ListChecks aria-hidden="true" /> {t.select}
            </button>
          )}
        </search>
      )}
      {chosen !== null && (
        <GallerySelection
          chosen={shown.filter(({ jobId }) => chosen.has(jobId))}
          all={shown}
          choose={(those) => setChosen(new Set(those.map(({ jobId }) => jobId)))}
          end={() => setChosen(null)}
        />
      )}
      {jobs.length > 0 && shown.length === 0 && !hasNextPage && (
        <p className="muted">{t.noneFound}</p>
      )}
      <ul className="cards">
        {shown.map((job) => (
          <Card
            key={job.jobId}
            job={job}
            ask={(what) => setAsking({ what, job })}
            chosen={chosen?.has(job.jobId)}
            choose={(on) => setChosen(changed(chosen, job.jobId, on))}
          />
        ))}
      </ul>
      {hasNextPage && !whole && (
        <p className="actions centred">
          <button
            type="button"
            className="button button-quiet"
            disabled={isFetchingNextPage}
            onClick={() => void fetchNextPage()}
          >
            {t.more}
          </button>
        </p>
      )}
      <Rename asking={asking} close={() => setAsking(null)} />
      <Delete asking={asking} close={() => setAsking(null)} />
    </div>
  );
}

/** The wait between two looks at the list: longer while nothing changes. */
function useWait() {
  const wait = useRef(about(FIRST_MS));
  const seen = useRef("");
  function look({ jobs }: JobPage): void {
    const news = JSON.stringify(jobs.map(({ jobId, status, draft }) => [jobId, status, draft]));
    const grown = news === seen.current ? Math.min(wait.current * 1.25, MOST_MS) : FIRST_MS;
    wait.current = about(grown);
    seen.current = news;
  }
  return { wait, look };
}

function Empty() {
  const t = useTexts(gallery);
  return (
    <section className="empty">
      <Box aria-hidden="true" />
      <h2>{t.empty}</h2>
      <p className="muted">{t.aboutEmpty}</p>
      <Link href="/" className="button">
        {t.begin}
      </Link>
    </section>
  );
}

interface CardProps {
  job: JobSummary;
  ask(what: Asking["what"]): void;
  /** Absent while nothing is being chosen. */
  chosen?: boolean | undefined;
  choose(on: boolean): void;
}

function changed(set: ReadonlySet<string> | null, jobId: string, on: boolean) {
  const next = new Set(set);
  if (on) next.add(jobId);
  else next.delete(jobId);
  return next;
}

function Card({ job, ask, chosen, choose }: CardProps) {
  const t = useTexts(gallery);
  const { draft } = useTexts(common);
  const said = useTexts(statuses)[job.status];
  const modelled = job.status === "COMPLETED" || job.draft;
  return (
    <li className={chosen ? "job-card job-card-chosen" : "job-card"}>
      {chosen !== undefined && (
        <label className="job-card-choice">
          <input
            type="checkbox"
            checked={chosen}
            aria-label={t.selectOne(job.name)}
            onChange={(event) => choose(event.target.checked)}
          />
        </label>
      )}
      <Link href={`/jobs/${job.jobId}`} className="job-card-link">
        <div className={`job-picture ${modelled ? "job-picture-model" : ""}`}>
          {job.picture ? (
            <img src={job.picture} crossOrigin="anonymous" alt="" loading="lazy" />
          ) : (
            <ImageOff aria-hidden="true" />
          )}
          {job.draft && <span className="badge">{draft}</span>}
        </div>
        <span className="job-title">{job.name}</span>
        <span className="job-meta">
          <span className={`status status-${job.status}`}>{said.card}</span>
          <time dateTime={job.createdAt}>{date(job.createdAt)}</time>
        </span>
      </Link>
      <div className="job-card-actions">
        <button
          type="button"
          className="icon-button icon-button-small"
          aria-label={t.rename(job.name)}
          onClick={() => ask("rename")}
        >
          <Pencil />
        </button>
        <button
          type="button"
          className="icon-button icon-button-small"
          aria-label={t.delete(job.name)}
          onClick={() => ask("delete")}
        >
          <Trash2 />
        </button>
      </div>
    </li>
  );
}

/** Do something with a job, and show what is left. */
function useChange(close: () => void) {
  const queries = useQueryClient();
  const { work, ...asked } = useDialogTask(close);
  const change = async (task: () => Promise<unknown>) => {
    await work(task);
    await queries.invalidateQueries();
  };
  return { change, ...asked };
}

function Rename({ asking, close }: { asking: Asking | null; close(): void }) {
  const t = useTexts(gallery);
  const { rename } = useTexts(common);
  const { api } = useServices();
  const { change, leave, busy, error } = useChange(close);
  const job = asking?.what === "rename" ? asking.job : null;
  return (
    <Dialog open={job !== null} title={t.renameJob} onClose={leave}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const name = String(new FormData(event.currentTarget).get("name")).trim();
          if (job && name) void change(() => api.renameJob(job.jobId, name));
        }}
      >
        <input
          className="input"
          name="name"
          aria-label={t.name}
          defaultValue={job?.name}
          maxLength={MAX_NAME}
          required
        />
        {error !== null && <ErrorNote error={error} />}
        <div className="actions">
          <button type="button" className="button button-quiet" disabled={busy} onClick={leave}>
            {t.keepName}
          </button>
          <button type="submit" className="button" disabled={busy}>
            {rename}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function Delete({ asking, close }: { asking: Asking | null; close(): void }) {
  const t = useTexts(gallery);
  const words = useTexts(common);
  const remove = useRemove();
  const { change, leave, busy, error } = useChange(close);
  const job = asking?.what === "delete" ? asking.job : null;

  return (
    <Confirm
      open={job !== null}
      title={t.askDelete(job?.name ?? "")}
      what={words.delete}
      confirm={() => job && void change(() => remove(job))}
      {...{ leave, busy, error }}
    >
      {t.deleted}
    </Confirm>
  );
}
