/** Which jobs of the gallery are shown, and in which order. */

import type { JobSummary } from "../api/types";
import { statuses } from "../texts/en/statuses";
import { texts } from "../texts/texts";
import { STATUSES } from "./job/statuses";

export type Order = "newest" | "oldest" | "name" | "status";

/** Letters alike but for case and accents are the same. */
function plain(text: string): string {
  return text
    .normalize("NFD")
    .replace(/\p{Diacritic}/gu, "")
    .toLowerCase();
}

const NEWEST = (a: JobSummary, b: JobSummary) => b.createdAt.localeCompare(a.createdAt);

const COMPARE: Record<Order, (a: JobSummary, b: JobSummary) => number> = {
  newest: NEWEST,
  oldest: (a, b) => -NEWEST(a, b),
  name: (a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }) || NEWEST(a, b),
  status: (a, b) => place(a) - place(b) || NEWEST(a, b),
};

/** As in the table of statuses, which goes as a job goes. */
function place({ status }: JobSummary): number {
  return Object.keys(STATUSES).indexOf(status);
}

/** Those whose name or status holds every word that is looked for. */
export function found(jobs: readonly JobSummary[], text: string, order: Order): JobSummary[] {
  const words = plain(text).split(/\s+/).filter(Boolean);
  const holds = ({ name, status }: JobSummary) => {
    const told = plain(`${name} ${texts(statuses)[status].card}`);
    return words.every((word) => told.includes(word));
  };
  return jobs.filter(holds).sort(COMPARE[order]);
}
