import { X } from "lucide-react";
import { type ReactNode, useEffect, useId, useRef } from "react";
import { common } from "../texts/en/common";
import { useTexts } from "../texts/texts";

interface Props {
  open: boolean;
  title: string;
  onClose(): void;
  children: ReactNode;
}

/** A modal dialog; the browser keeps the focus in it and gives it back. */
export function Dialog({ open, title, onClose, children }: Props) {
  const t = useTexts(common);
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    if (open) dialog.current?.showModal();
    else dialog.current?.close();
  }, [open]);
  return (
    <dialog
      ref={dialog}
      className="dialog"
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      {open && (
        <>
          <header className="dialog-head">
            <h2 id={titleId}>{title}</h2>
            <button type="button" className="icon-button" aria-label={t.close} onClick={onClose}>
              <X />
            </button>
          </header>
          {children}
        </>
      )}
    </dialog>
  );
}
