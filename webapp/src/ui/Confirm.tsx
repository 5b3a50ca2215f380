import type { ReactNode } from "react";
import { common } from "../texts/en/common";
import { useTexts } from "../texts/texts";
import { Dialog } from "./Dialog";
import { ErrorNote } from "./ErrorNote";

interface Props {
  open: boolean;
  title: string;
  /** What the button says that does it. */
  what: string;
  busy: boolean;
  error: unknown;
  confirm(): void;
  leave(): void;
  children: ReactNode;
}

/** Asks before something is done that cannot be undone. */
export function Confirm({ open, title, what, busy, error, confirm, leave, children }: Props) {
  const t = useTexts(common);
  return (
    <Dialog open={open} title={title} onClose={leave}>
      <p>{children}</p>
      {error !== null && <ErrorNote error={error} />}
      <div className="actions">
        <button type="button" className="button button-quiet" disabled={busy} onClick={leave}>
          {t.keepIt}
        </button>
        <button type="button" className="button button-danger" disabled={busy} onClick={confirm}>
          {what}
        </button>
      </div>
    </Dialog>
  );
}
