import { CircleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { ApiError, messageOf } from "../api/error";
import { date } from "./format";

/** What happened, and what can be done about it. */
export function ErrorNote({ error, children }: { error: unknown; children?: ReactNode }) {
  return (
    <div className="note note-error" role="alert">
      <CircleAlert aria-hidden="true" />
      <div>
        <p>{messageOf(error)}</p>
        {error instanceof ApiError && error.retryAt && <p>{whenAgain(error.retryAt)}</p>}
        {children && <div className="note-actions">{children}</div>}
      </div>
    </div>
  );
}

function whenAgain(moment: Date): string {
  const seconds = Math.max(1, Math.ceil((moment.getTime() - Date.now()) / 1000));
  if (seconds < 60) return `Try again in ${seconds} seconds.`;
  return `Try again after ${date(moment.toISOString())}.`;
}
