import { CircleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { ApiError } from "../api/error";
import { errors } from "../texts/en/errors";
import { sentenceOf } from "../texts/sentence";
import { type Translated, useTexts } from "../texts/texts";
import { date } from "./format";

/** What happened, and what can be done about it. */
export function ErrorNote({ error, children }: { error: unknown; children?: ReactNode }) {
  const t = useTexts(errors);
  return (
    <div className="note note-error" role="alert">
      <CircleAlert aria-hidden="true" />
      <div>
        <p>{sentenceOf(error)}</p>
        {error instanceof ApiError && error.retryAt && <p>{whenAgain(t, error.retryAt)}</p>}
        {children && <div className="note-actions">{children}</div>}
      </div>
    </div>
  );
}

function whenAgain(t: Translated<typeof errors>, moment: Date): string {
  const seconds = Math.max(1, Math.ceil((moment.getTime() - Date.now()) / 1000));
  if (seconds < 60) return t.againInSeconds(seconds);
  return t.againAfter(date(moment.toISOString()));
}
