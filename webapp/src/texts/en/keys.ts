import { english } from "../texts";
import { plural } from "./plural";

/** Keys for programs. */
export const keys = english("keys", {
  keys: "Keys",
  newKey: "New key",
  about:
    "A program that has a key of yours makes meshes as you do: its jobs are yours, and so are their costs.",
  loading: "Loading your keys",
  empty: "No keys yet",
  rights: { read: "See my jobs and fetch their files", create: "Create, change and delete jobs" },
  jobsADay: (jobs: number) => plural(jobs, { one: "# job a day", other: "# jobs a day" }),
  made: (moment: string) => `made ${moment}`,
  used: (moment: string) => `used ${moment}`,
  neverUsed: "never used",
  withdraw: "Withdraw",
  withdrawOne: (key: string) => `Withdraw ${key}`,
  whatFor: "What it is for",
  whatItMay: "What it may",
  limit: "Jobs a day, at most (empty: as many as you may)",
  make: "Make the key",
  theKey: (name: string) => `The key “${name}”`,
  keepIt: "Keep it where your program's secrets are; who has it acts as you.",
  key: "Key",
  askWithdraw: (key: string) => `Withdraw “${key}”?`,
  withdrawn:
    "Within a minute no program can call with it any more, for good. Jobs that it made go on.",
});
