import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Check, Copy, Send, Share2 } from "lucide-react";
import { useState } from "react";
import type { JobView, ObjectView, ShareView } from "../../api/types";
import { useServices } from "../../services";
import { Dialog } from "../../ui/Dialog";
import { ErrorNote } from "../../ui/ErrorNote";
import { date } from "../../ui/format";
import { Segmented } from "../../ui/Segmented";
import { Spinner } from "../../ui/Spinner";
import { useDialogTask } from "../../ui/useDialogTask";
import { shareLink } from "./share-link";

const DAYS = [
  { value: "1", label: "A day" },
  { value: "7", label: "A week" },
  { value: "30", label: "A month" },
];
const SHARES = ["shares"];

interface Props {
  job: JobView;
  object: ObjectView;
}

/** Links for people without an account: made for some days, sent, withdrawn. */
export function Share({ job, object }: Props) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button
        type="button"
        className="button button-quiet"
        disabled={!object.files}
        onClick={() => setOpen(true)}
      >
        <Share2 aria-hidden="true" /> Share
      </button>
      <Dialog open={open} title={`Share “${object.name}”`} onClose={() => setOpen(false)}>
        <Links job={job} object={object} />
      </Dialog>
    </>
  );
}

function Links({ job, object }: Props) {
  const { api } = useServices();
  const queries = useQueryClient();
  const [days, setDays] = useState("7");
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
      await api.withdrawShare(shareId);
      queries.setQueryData<ShareView[]>(SHARES, (shares) =>
        shares?.filter((one) => one.shareId !== shareId),
      );
    });
  }

  return (
    <>
      <p>
        Whoever has a link can look at the model and download it, without an account. The photo and
        everything else stay yours alone.
      </p>
      <div className="share-make">
        <Segmented legend="For how long" choices={DAYS} value={days} onChange={setDays} />
        <button type="button" className="button" disabled={busy} onClick={make}>
          New link
        </button>
      </div>
      {(error ?? listed.error) !== null && <ErrorNote error={error ?? listed.error} />}
      {listed.isPending && <Spinner label="Loading your links" />}
      <ul className="shares" aria-label="Links">
        {mine?.map((share) => (
          <Row key={share.shareId} share={share} busy={busy} withdraw={() => withdraw(share)} />
        ))}
      </ul>
    </>
  );
}

function Row({ share, busy, withdraw }: { share: ShareView; busy: boolean; withdraw(): void }) {
  const { config } = useServices();
  const [copied, setCopied] = useState(false);
  const link = shareLink(config.apiUrl, share.shareId);

  async function copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(link);
      setCopied(true);
    } catch {
      // The field is there to be copied by hand.
      setCopied(false);
    }
  }

  return (
    <li>
      <div className="share-row">
        <input
          className="input"
          readOnly
          value={link}
          aria-label="Link"
          onFocus={(event) => event.target.select()}
        />
        <button type="button" className="button" onClick={() => void copy()}>
          {copied ? <Check aria-hidden="true" /> : <Copy aria-hidden="true" />}
          {copied ? "Copied" : "Copy"}
        </button>
      </div>
      <div className="share-about">
        <span className="muted small">Ends {date(share.endsAt)}</span>
        {"share" in navigator && (
          <button
            type="button"
            className="button button-quiet button-small"
            onClick={() => {
              // Who closes the sheet refuses it; nothing is lost.
              navigator.share({ title: share.name, url: link }).catch(() => undefined);
            }}
          >
            <Send aria-hidden="true" /> Send
          </button>
        )}
        <button
          type="button"
          className="button button-quiet button-small"
          disabled={busy}
          aria-label={`Withdraw the link that ends ${date(share.endsAt)}`}
          onClick={withdraw}
        >
          Withdraw
        </button>
      </div>
    </li>
  );
}
