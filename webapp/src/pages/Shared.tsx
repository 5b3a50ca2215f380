import { useQuery } from "@tanstack/react-query";
import { Suspense } from "react";
import { Link } from "wouter";
import { ApiError } from "../api/error";
import { useServices } from "../services";
import { common } from "../texts/en/common";
import { files as said } from "../texts/en/files";
import { shared } from "../texts/en/shared";
import { texts, useTexts } from "../texts/texts";
import { useCause, useWaiting } from "../ui/connection";
import { ErrorNote } from "../ui/ErrorNote";
import { date } from "../ui/format";
import { lazily } from "../ui/lazily";
import { Spinner } from "../ui/Spinner";
import { DownloadAll } from "./result/DownloadAll";
import { Downloads } from "./result/Downloads";
import { InTheRoom } from "./result/InTheRoom";
import { filesOf } from "./result/packing";
import "./result/result.css";

const Viewer = lazily(
  () => texts(said).viewer,
  () => import("../viewer/Viewer"),
);

/** Well before the links to the files end. */
const FRESH_MS = 5 * 60_000;

/** What somebody shared; no account is needed. */
export default function SharedPage({ shareId }: { shareId: string }) {
  const t = useTexts(shared);
  const { tryAgain } = useTexts(common);
  const words = useTexts(said);
  const { api } = useServices();
  const { data, error, refetch } = useQuery({
    queryKey: ["shared", shareId],
    queryFn: () => api.getShared(shareId),
    refetchInterval: ({ state }) => (state.error ? false : FRESH_MS),
    retry: false,
  });
  const gone = error instanceof ApiError && error.status === 404;
  const cause = useCause(error, data !== undefined);
  useWaiting(cause, t.waiting, () => void refetch());
  if (gone) {
    return (
      <section className="page narrow centred">
        <title>{`${t.shared} · Gen3D`}</title>
        <h1>{t.nothing}</h1>
        <p className="muted">{t.aboutNothing}</p>
        <p className="actions">
          <Link className="button" href="/">
            {t.makeYourOwn}
          </Link>
        </p>
      </section>
    );
  }
  if (!data) {
    return (
      <section className="page narrow centred">
        <title>{`${t.shared} · Gen3D`}</title>
        {error && cause === null ? (
          <ErrorNote error={error}>
            <button type="button" className="button" onClick={() => void refetch()}>
              {tryAgain}
            </button>
          </ErrorNote>
        ) : (
          <Spinner label={t.loading} />
        )}
      </section>
    );
  }
  const { name, files, endsAt } = data;
  const object = { name, files };
  return (
    <div className="page result">
      <title>{`${name} · Gen3D`}</title>
      <div className="result-main">
        <h1>{name}</h1>
        {files.glb ? (
          <Suspense fallback={<Spinner label={words.loadingViewer} />}>
            <Viewer
              key={shareId}
              name={name}
              meshUrl={files.glb.url}
              splatUrl={files.spz?.url ?? null}
            />
          </Suspense>
        ) : (
          <p className="note">{t.madeAnew}</p>
        )}
      </div>
      <aside className="result-side" aria-label={words.about(name)}>
        <Downloads object={object} />
        <DownloadAll name={name} files={filesOf(object)} />
        <div className="result-actions">
          <InTheRoom object={object} />
          <Link className="button button-quiet" href="/">
            {t.makeYourOwn}
          </Link>
        </div>
        <p className="muted small">{t.ends(date(endsAt))}</p>
      </aside>
    </div>
  );
}
