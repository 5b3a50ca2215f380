import { Check, Copy, Share2 } from "lucide-react";
import { useState } from "react";
import type { ObjectView } from "../../api/types";
import { useServices } from "../../services";
import { Dialog } from "../../ui/Dialog";
import { useNow } from "../../ui/useNow";
import { endOf, fromFragment, toFragment } from "../shared-link";

/** A link for somebody without an account; it ends by itself. */
export function Share({ object }: { object: ObjectView }) {
  const { config } = useServices();
  const [open, setOpen] = useState(false);
  const [copied, setCopied] = useState(false);
  const fragment = toFragment(object);
  const link = `${window.location.origin}/shared#${fragment}`;
  const shared = fromFragment(fragment, config);
  const end = shared && endOf(shared);
  const now = useNow(true);
  // A newer link comes by itself, unless the connection is lost or the machine slept.
  const ended = end !== null && end.getTime() <= now;

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
    <>
      <button
        type="button"
        className="button button-quiet"
        disabled={!shared || ended}
        onClick={() => {
          setCopied(false);
          setOpen(true);
        }}
      >
        <Share2 aria-hidden="true" /> Share
      </button>
      <Dialog open={open} title={`Share “${object.name}”`} onClose={() => setOpen(false)}>
        <p>
          Whoever has this link can look at the model and download it
          {end
            ? ` until ${end.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" })}`
            : " for an hour"}
          , without an account. It cannot be withdrawn before.
        </p>
        <div className="share-row">
          <input
            className="input"
            readOnly
            value={link}
            aria-label="Link"
            onFocus={(event) => event.target.select()}
          />
          <button type="button" className="button" disabled={ended} onClick={() => void copy()}>
            {copied ? <Check aria-hidden="true" /> : <Copy aria-hidden="true" />}
            {copied ? "Copied" : "Copy"}
          </button>
        </div>
      </Dialog>
    </>
  );
}
