import type { FormEvent, ReactNode } from "react";
import { common } from "../texts/en/common";
import { useTexts } from "../texts/texts";
import { Dialog } from "./Dialog";
import { ErrorNote } from "./ErrorNote";
import "./dialog-form.css";

interface Props {
  open: boolean;
  title: string;
  /** What the button says that sends it. */
  what: string;
  busy: boolean;
  error: unknown;
  send(form: FormData): void;
  leave(): void;
  children: ReactNode;
}

/** Asks for what something is made of. */
export function DialogForm({ open, title, what, busy, error, send, leave, children }: Props) {
  const t = useTexts(common);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    send(new FormData(event.currentTarget));
  };
  return (
    <Dialog open={open} title={title} onClose={leave}>
      <form className="dialog-form" onSubmit={submit}>
        {children}
        {error !== null && <ErrorNote error={error} />}
        <div className="actions">
          <button type="button" className="button button-quiet" disabled={busy} onClick={leave}>
            {t.cancel}
          </button>
          <button type="submit" className="button" disabled={busy}>
            {what}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
