import { useEffect, useMemo, useState } from "react";
import { DEFAULTS } from "../../api/chosen";
import type { JobView } from "../../api/types";
import { type KeptSelection, keep, kept, onKeptElsewhere, type Submission } from "../../kept/kept";
import type { Logits } from "../../selection/mask";
import { SelectionMachine } from "../../selection/selecting";
import { activeObject, isEmpty } from "../../selection/selection";
import { common } from "../../texts/en/common";
import { select as said } from "../../texts/en/select";
import { useTexts } from "../../texts/texts";
import { useConnection, useWaiting } from "../../ui/connection";
import { ErrorNote } from "../../ui/ErrorNote";
import { fileSize } from "../../ui/format";
import { Progress } from "../../ui/Progress";
import { Spinner } from "../../ui/Spinner";
import { OptionFields } from "../job/OptionFields";
import { awaitsBetter } from "../job/useJob";
import { BetterMasks } from "./BetterMasks";
import { Candidates, Found } from "./Candidates";
import { pointedAt, ShownMasks, unfit } from "./masks";
import { ObjectList } from "./ObjectList";
import { PhotoViewport } from "./PhotoViewport";
import { Toolbar } from "./Toolbar";
import { type DecoderState, useDecoder } from "./useDecoder";
import { useMachine } from "./useMachine";
import "./select.css";

interface Props {
  job: JobView;
  onConfirm(submission: Submission): Promise<void>;
}

/** Click the objects; what was selected before a reload is there again. */
export default function Select({ job, onConfirm }: Props) {
  const { loading } = useTexts(common);
  const [earlier, setEarlier] = useState<KeptSelection | null | undefined>();
  useEffect(() => {
    void kept("selection", job.jobId).then((found) => setEarlier(found ?? null));
  }, [job.jobId]);
  if (earlier === undefined || !job.image) return <Spinner label={loading} />;
  return <Workbench job={job} image={job.image} earlier={earlier} onConfirm={onConfirm} />;
}

interface WorkbenchProps extends Props {
  image: NonNullable<JobView["image"]>;
  earlier: KeptSelection | null;
}

function Workbench({ job, image, earlier, onConfirm }: WorkbenchProps) {
  const t = useTexts(said);
  const { tryAgain } = useTexts(common);
  const [attempt, setAttempt] = useState(0);
  const [options, setOptions] = useState(DEFAULTS);
  const [sending, setSending] = useState(false);
  const [failure, setFailure] = useState<unknown>(null);
  const { decoder, better, failure: unloaded, change } = useDecoder(job, attempt);
  const [machine] = useState(
    () => new SelectionMachine(image, earlier, (what) => keep("selection", job.jobId, what)),
  );
  const { act } = machine;
  const selection = useMachine(machine, (state) => state.history.present);
  const decodes = useMachine(machine, (state) => state.decodes);
  const keeps = useMachine(machine, (state) => state.keeps);
  const unanswered = useMachine(machine, (state) => state.error);
  const gesturing = useMachine(machine, (state) => state.gesture !== null);
  // What shows the answers is drawn anew with each.
  const answered = useMachine(machine, (state) => state.answered);
  const foreseen = useMachine(machine, (state) => state.foreseen);
  const { lost } = useConnection();
  const unloadable = decoder.state === "failed" ? decoder.error : unloaded;
  const waits = lost && unloadable !== null;
  useWaiting(waits ? unloadable : null, t.tool, () => setAttempt(attempt + 1));
  useEffect(
    () =>
      onKeptElsewhere("selection", job.jobId, () => {
        void kept("selection", job.jobId).then((found) => found && machine.follow(found));
      }),
    [machine, job.jobId],
  );
  useEffect(() => {
    if (decoder.state === "ready") machine.goOn(decoder);
  }, [machine, decoder]);
  const photo = useMemo(
    () => ({ width: image.width, height: image.height, url: image.url, name: job.name }),
    [image, job.name],
  );
  const { width, height } = image;
  const shown = useMemo(() => new ShownMasks({ width, height }), [width, height]);
  const masks = selection.objects.map((object) => shown.of(object, decodes));
  const active = activeObject(selection);
  const [pointed, point] = useState<Logits | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was pointed at is of what was there then.
  useEffect(() => point(null), [selection, decodes]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is foreseen is answered later.
  const onStage = useMemo(() => {
    const logits = pointed ?? (foreseen && decodes?.logits(foreseen));
    return logits ? pointedAt(active, logits, { width, height }) : null;
  }, [active, pointed, foreseen, answered, decodes, width, height]);
  const pending = selection.objects.some((object) => decodes?.pending(object));

  // What was not answered will not be; another decoder may.
  const busy = gesturing || sending || (pending && unanswered === null);
  useEffect(() => {
    if (better && !busy) change();
  }, [better, busy, change]);

  const worked = selection.objects.filter((object) => !isEmpty(object));
  const complaint = worked
    .map((object) => {
      const mask = masks[selection.objects.indexOf(object)];
      // Until the decoder is there, a kept selection has no masks to complain of.
      const why = mask && decodes && !decodes.pending(object) ? unfit(mask, photo) : null;
      return why && t[why](object.name);
    })
    .find(Boolean);

  async function confirm(): Promise<void> {
    if (decoder.state !== "ready" || !decodes) return;
    setSending(true);
    setFailure(null);
    try {
      const objects = [];
      for (const object of worked) {
        const mask = await decoder.decoder.png(decodes.logits(object), object.strokes, photo);
        objects.push({ name: object.name.trim() || t.object(object.id), mask });
      }
      await machine.keepNow();
      await onConfirm({ objects, options });
    } catch (error) {
      setFailure(error);
      setSending(false);
    }
  }

  const activeMask = masks[selection.objects.indexOf(active)];
  return (
    <section className="select" aria-label={t.select}>
      <div className="select-main">
        <Toolbar machine={machine} />
        <PhotoViewport
          photo={photo}
          machine={machine}
          masks={
            onStage
              ? masks.map((mask, n) => (selection.objects[n] === active ? onStage : mask))
              : masks
          }
          busy={pending || decoder.state === "loading"}
        >
          <Loading decoder={decoder} />
          {decoder.state === "ready" && selection.objects.every(isEmpty) && (
            <p className="viewport-hint">{t.hint}</p>
          )}
          {decodes && <BetterMasks objects={selection.objects} decodes={decodes} />}
        </PhotoViewport>
        <p className="visually-hidden" role="status">
          {activeMask && !isEmpty(active) && !pending
            ? t.covers(active.name, Math.round(activeMask.share * 100))
            : ""}
        </p>
      </div>
      <aside className="select-side" aria-label={t.objects}>
        {unloadable !== null && !waits && (
          <ErrorNote error={unloadable}>
            <button type="button" className="button" onClick={() => setAttempt(attempt + 1)}>
              {t.loadAgain}
            </button>
          </ErrorNote>
        )}
        {unanswered !== null && (
          <ErrorNote error={unanswered}>
            <button type="button" className="button" onClick={() => machine.askAgain()}>
              {tryAgain}
            </button>
          </ErrorNote>
        )}
        <ObjectList selection={selection} masks={masks} act={act} />
        {job.text && decoder.state === "ready" && (
          <Found
            text={job.text}
            foundText={decoder.meta.foundText}
            found={decoder.found}
            awaited={awaitsBetter(job)}
            object={active}
            photo={photo}
            act={act}
            point={point}
          />
        )}
        {decodes && (
          <Candidates object={active} decodes={decodes} photo={photo} act={act} point={point} />
        )}
        <OptionFields offers={job.offers} value={options} onChange={setOptions} />
        <div className="select-confirm">
          {complaint && <p className="complaint">{complaint}</p>}
          {failure !== null && <ErrorNote error={failure} />}
          <button
            type="button"
            className="button button-large"
            disabled={worked.length === 0 || !decodes || pending || sending || Boolean(complaint)}
            onClick={() => void confirm()}
          >
            {sending ? t.sending : t.reconstruct(Math.max(1, worked.length))}
          </button>
          {awaitsBetter(job) ? (
            <p className="small awaited">{t.better}</p>
          ) : (
            <p className="muted small">
              {worked.length === 0 ? t.nothing : keeps ? t.kept : t.notKept}
            </p>
          )}
        </div>
      </aside>
    </section>
  );
}

function Loading({ decoder }: { decoder: DecoderState }) {
  const t = useTexts(said);
  if (decoder.state !== "loading") return null;
  return (
    <div className="viewport-loading">
      <p>{t.loading}</p>
      <Progress label={t.loading} share={decoder.share} />
      {decoder.share === null && decoder.loaded > 0 && (
        <p className="small">{fileSize(decoder.loaded)}</p>
      )}
    </div>
  );
}
