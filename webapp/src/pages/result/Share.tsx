import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Check, CodeXml, Copy, Send, Share2 } from "lucide-react";
import { useState } from "react";
import { ApiError } from "../../api/error";
import type { JobView, ObjectView, ShareView } from "../../api/types";
import { useServices } from "../../services";
import { files } from "../../texts/en/files";
import { share as said } from "../../texts/en/share";
import { useTexts } from "../../texts/texts";
import { Dialog } from "../../ui/Dialog";
import { ErrorNote } from "../../ui/ErrorNote";
import { date } from "../../ui/format";
import { Segmented } from "../../ui/Segmented";
import { Spinner } from "../../ui/Spinner";
import { useDialogTask } from "../../ui/useDialogTask";
import { embedCode, shareLink } from "./share-link";

const DAYS = ["1", "7", "30"] as const;
type Days = (typeof DAYS)[number];
const SHARES = ["shares"];

interface Props {
  job: JobView;
  object: ObjectView;
}

/** Links for people without an account: made for some days, sent, withdrawn. */
export function Share({ job, object }: Props) {
  const t = useTexts(said);
  const [open, setOpen] = useState(false);
  return (
    <>
      <button
        type="button"
        className="button button-quiet"
        disabled={!object.files}
        onClick={() => setOpen(true)}
      >
        <Share2 aria-hidden="true" /> {t.share}
      </button>
      <Dialog open={open} title={t.shareOne(object.name)} onClose={() => setOpen(false)}>
        <Links job={job} object={object} />
      </Dialog>
    </>
  );
}

function Links({ job, object }: Props) {
  const t = useTexts(said);
  const { api } = useServices();
  const queries = useQueryClient();
  const [days, setDays] = useState<Days>("7");
  const { work, busy, error } = useDialogTask(() => undefined);
  const listed = useQuery({ queryKey: SHARES, queryFn: () => api.listShares() });
  const mine = listed.data?.filter((one) => one.jobId === job.jobId && one.object === object.n);

  function make(): void {
    void work(async () => {
      const made = await api.createShare({
        jobId: job.jobId,
        object: object.n,
        days: Number(days),
      });
      queries.setQueryData<ShareView[]>(SHARES, (shares = []) => [made, ...shares]);
    });
  }

  function withdraw({ shareId }: ShareView): void {
    void work(async () => {
      try {
        await api.withdrawShare(shareId);
      } catch (failure) {
        // It has ended, or was withdrawn in another tab: what was wanted.
        if (!(failure instanceof ApiError && failure.status === 404)) throw failure;
      }
      queries.setQueryData<ShareView[]>(SHARES, (shares) =>
        shares?.filter((one) => one.shareId !== shareId),
      );
    });
  }

  return (
    <>
      <p>{t.about}</p>
      <div className="share-make">
        <Segmented<Days>
          legend={t.howLong}
          choices={DAYS.map((value) => ({ value, label: t.days[value] }))}
          value={days}
          onChange={setDays}
        />
        <button type="button" className="button" disabled={busy} onClick={make}>
          {t.newLink}
        </button>
      </div>
      {(error ?? listed.error) !== null && <ErrorNote error={error ?? listed.error} />}
      {listed.isPending && <Spinner label={t.loading} />}
      <ul className="shares" aria-label={t.links}>
        {mine?.map((share) => (
          <Row key={share.shareId} share={share} busy={busy} withdraw={() => withdraw(share)} />
        ))}
      </ul>
    </>
  );
}

function Row({ share, busy, withdraw }: { share: ShareView; busy: boolean; withdraw(): void }) {
  const t = useTexts(said);
  const words = useTexts(files);
  const { config } = useServices();
  // What was copied last, or refused to be; a link's field is there to be copied by hand.
  const [copied, setCopied] = useState<string | null>(null);
  const [refused, setRefused] = useState<string | null>(null);
  const link = shareLink(config.apiUrl, share.shareId);
  const code = embedCode(share.shareId, share.name);

  async function copy(words: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(words);
      setCopied(words);
      setRefused(null);
    } catch {
      setCopied(null);
      setRefused(words);
    }
  }

  return (
    <li>
      <div className="share-row">
        <input
          className="input"
          readOnly
          value={link}
          aria-label={t.link}
          onFocus={(event) => event.target.select()}
        />
        <button type="button" className="button" onClick={() => void copy(link)}>
          {copied === link ? <Check aria-hidden="true" /> : <Copy aria-hidden="true" />}
          {copied === link ? words.copied : words.copy}
        </button>
      </div>
      <div className="share-about">
        <span className="muted small">{t.ends(date(share.endsAt))}</span>
        {"share" in navigator && (
          <button
            type="button"
            className="button button-quiet button-small"
            onClick={() => {
              // Who closes the sheet refuses it; nothing is lost.
              navigator.share({ title: share.name, url: link }).catch(() => undefined);
            }}
          >
            <Send aria-hidden="true" /> {t.send}
          </button>
        )}
        <button
          type="button"
          className="button button-quiet button-small"
          onClick={() => void copy(code)}
        >
          {copied === code ? <Check aria-hidden="true" /> : <CodeXml aria-hidden="true" />}
          {copied === code ? t.embedCopied : t.embed}
        </button>
        <button
          type="button"
          className="button button-quiet button-small"
          disabled={busy}
          aria-label={t.withdrawOne(date(share.endsAt))}
          onClick={withdraw}
        >
          {t.withdraw}
        </button>
      </div>
      {refused === code && (
        <label className="share-code">
          {t.embedByHand}
          <textarea
            className="input"
            readOnly
            rows={4}
            value={code}
            onFocus={(event) => event.target.select()}
          />
        </label>
      )}
    </li>
  );
}
