import { english } from "../texts";
import { plural } from "./plural";

/** One's jobs. */
export const gallery = english("gallery", {
  gallery: "Gallery",
  newJob: "New job",
  waiting: "your gallery",
  loading: "Loading your jobs",
  search: "Search",
  order: "Order",
  orders: {
    newest: "Newest first",
    oldest: "Oldest first",
    name: "By name",
    status: "By status",
  },
  select: "Select",
  selectOne: (job: string) => `Select ${job}`,
  noneFound: "No job is called so. Look for a part of its name.",
  more: "Show more",
  empty: "No jobs yet",
  aboutEmpty: "Every photo you start with is kept here, at whatever step you left it.",
  begin: "Start with a photo",
  rename: (job: string) => `Rename ${job}`,
  delete: (job: string) => `Delete ${job}`,
  renameJob: "Rename the job",
  name: "Name",
  keepName: "Keep the name",
  askDelete: (job: string) => `Delete “${job}”?`,
  deleted: "Its photo, masks and models are removed for good.",
  selectedJobs: "Selected jobs",
  selected: (jobs: number) => plural(jobs, { one: "# selected", other: "# selected" }),
  none: "None",
  all: "All shown",
  download: "Download",
  done: "Done",
  askDeleteSeveral: (jobs: number) =>
    plural(jobs, { one: "Delete this job?", other: "Delete # jobs?" }),
  severalDeleted: "Their photos, masks and models are removed for good.",
  noModels: "None of these has a model yet. Choose one that has.",
});
