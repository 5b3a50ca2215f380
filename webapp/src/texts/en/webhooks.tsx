import type { DeliveryState, EventType } from "../../api/types";
import { english, type Wrap } from "../texts";

/** Addresses that are told of jobs. */
export const webhooks = english("webhooks", {
  webhooks: "Webhooks",
  newWebhook: "New webhook",
  about: (link: Wrap) => (
    <>
      An address of yours that is told when a job of yours waits for you or has ended, so that a
      program need not ask. What it is sent is signed, as {link("Standard Webhooks")} says.
    </>
  ),
  loading: "Loading your webhooks",
  empty: "No webhooks yet",
  events: {
    "job.awaiting_mask": "A photo waits to be clicked",
    "job.completed": "Models are ready",
    "job.failed": "A job failed",
    "job.cancelled": "A job was cancelled",
    "job.expired": "A job waited too long",
  } satisfies Record<EventType, string> as Record<EventType, string>,
  registered: (moment: string) => `registered ${moment}`,
  ended: (moment: string) => `Ended ${moment}, as it answered 410. It is told nothing any more.`,
  sent: "What was sent",
  sentTo: (url: string) => `What was sent to ${url}`,
  withdraw: "Withdraw",
  withdrawOne: (url: string) => `Withdraw ${url}`,
  address: "Its address, over https",
  toldOf: "What it is told of",
  register: "Register it",
  theSecret: "The webhook's secret",
  secret: "Secret",
  keepIt:
    "Your program verifies with it that a message is ours, and unchanged. Keep it where its secrets are.",
  askWithdraw: "Withdraw this webhook?",
  withdrawn: (url: string) =>
    `${url} is told nothing any more, also of what waits to be sent, and what it was told can be seen no longer. Its secret signs nothing more.`,
  loadingSent: "Loading what was sent",
  nothingSent: "Nothing within a week.",
  states: {
    PENDING: "On its way",
    DELIVERED: "Delivered",
    FAILED: "Given up",
  } satisfies Record<DeliveryState, string> as Record<DeliveryState, string>,
  nextTry: (moment: string) => `next try ${moment}`,
  sendAgain: "Send again",
  showMore: "Show more",
  answered: (status: number) => `answered ${status}`,
  noAnswer: "There was no answer.",
});
