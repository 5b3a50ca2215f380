/** What the page says and shows of a job, by its status. */

import type { JobStatus } from "../../api/domain";

/** How a job ended before its time: a heading, and why, where no failure says it. */
export interface End {
  readonly title: string;
  readonly why?: string;
}

/** What stands below the job's steps; `JobPage` draws it. */
type Screen = "upload" | "preparing" | "select" | "reconstructing" | "result";

type Shown = {
  /** On its card in the gallery. */
  readonly card: string;
  /** In the tab's title, and read out. */
  readonly news: string;
} & (
  | {
      readonly screen: Screen;
      /** Which of a person's steps goes on, from 0. */
      readonly step: number;
      /** Where the server does not say: seconds between two looks, and the most they grow to. */
      readonly looks?: readonly [first: number, most: number];
      /** Whether the gallery looks again by itself. */
      readonly busy?: true;
      readonly end?: undefined;
    }
  | {
      readonly end: End;
      readonly step?: undefined;
      readonly looks?: undefined;
      readonly busy?: undefined;
    }
);

export const STATUSES: Record<JobStatus, Shown> = {
  CREATED: { card: "Upload unfinished", news: "Uploading", screen: "upload", step: 0 },
  INITIALIZING: {
    card: "Preparing",
    news: "Preparing",
    screen: "preparing",
    step: 1,
    looks: [2, 10],
    busy: true,
  },
  AWAITING_MASK: {
    card: "Select the object",
    news: "Ready to select",
    screen: "select",
    step: 2,
    looks: [20, 60],
  },
  RECONSTRUCTING: {
    card: "Reconstructing",
    news: "Reconstructing",
    screen: "reconstructing",
    step: 3,
    looks: [2, 10],
    busy: true,
  },
  COMPLETED: { card: "Ready", news: "Finished", screen: "result", step: 5 },
  FAILED: { card: "Failed", news: "Failed", end: { title: "This job failed" } },
  CANCELLED: {
    card: "Cancelled",
    news: "Cancelled",
    end: { title: "This job was cancelled", why: "It was stopped before it was finished." },
  },
  EXPIRED: {
    card: "Expired",
    news: "Expired",
    end: { title: "This job has expired", why: "Nobody selected an object in time." },
  },
};
