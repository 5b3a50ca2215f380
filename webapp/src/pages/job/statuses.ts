/** What the page shows of a job, by its status. */

import type { JobStatus } from "../../api/domain";

/** What stands below the job's steps; `JobPage` draws it. */
type Screen = "upload" | "preparing" | "select" | "reconstructing" | "result";

/** Its texts are in the catalogue (`texts/en/statuses.ts`). */
type Shown =
  | {
      readonly screen: Screen;
      /** Which of a person's steps goes on, from 0. */
      readonly step: number;
      /** Where the server does not say: seconds between two looks, and the most they grow to. */
      readonly looks?: readonly [first: number, most: number];
      /** Whether the gallery looks again by itself. */
      readonly busy?: true;
      readonly ended?: undefined;
    }
  | {
      /** Before its time. */
      readonly ended: true;
      readonly step?: undefined;
      readonly looks?: undefined;
      readonly busy?: undefined;
    };

export const STATUSES: Record<JobStatus, Shown> = {
  CREATED: { screen: "upload", step: 0 },
  INITIALIZING: { screen: "preparing", step: 1, looks: [2, 10], busy: true },
  AWAITING_MASK: { screen: "select", step: 2, looks: [20, 60] },
  RECONSTRUCTING: { screen: "reconstructing", step: 3, looks: [2, 10], busy: true },
  COMPLETED: { screen: "result", step: 5 },
  FAILED: { ended: true },
  CANCELLED: { ended: true },
  EXPIRED: { ended: true },
};
