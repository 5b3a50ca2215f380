import type { JobStatus } from "../../api/domain";
import { english } from "../texts";

type Said = {
  readonly card: string;
  readonly news: string;
  readonly title?: string;
  readonly why?: string;
};

type ByStatus = { readonly [status in JobStatus]: Said };

/** A job by its status: on its card, in the tab's title and read out, and where it ended before its time. */
export const statuses = english("statuses", {
  CREATED: { card: "Upload unfinished", news: "Uploading" },
  INITIALIZING: { card: "Preparing", news: "Preparing" },
  AWAITING_MASK: { card: "Select the object", news: "Ready to select" },
  RECONSTRUCTING: { card: "Reconstructing", news: "Reconstructing" },
  COMPLETED: { card: "Ready", news: "Finished" },
  FAILED: { card: "Failed", news: "Failed", title: "This job failed" },
  CANCELLED: {
    card: "Cancelled",
    news: "Cancelled",
    title: "This job was cancelled",
    why: "It was stopped before it was finished.",
  },
  EXPIRED: {
    card: "Expired",
    news: "Expired",
    title: "This job has expired",
    why: "Nobody selected an object in time.",
  },
} satisfies ByStatus as ByStatus);
