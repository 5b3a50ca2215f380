import { CircleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { messageOf } from "../api/error";

/** What happened, and what can be done about it. */
export function ErrorNote({ error, children }: { error: unknown; children?: ReactNode }) {
  return (
    <div className="note note-error" role="alert">
      <CircleAlert aria-hidden="true" />
      <div>
        <p>{messageOf(error)}</p>
        {children && <div className="note-actions">{children}</div>}
      </div>
    </div>
  );
}
