import { english } from "../texts";

/** Links for people without an account. */
export const share = english("share", {
  share: "Share",
  shareOne: (object: string) => `Share “${object}”`,
  about:
    "Whoever has a link can look at the model and download it, without an account. The photo and everything else stay yours alone.",
  howLong: "For how long",
  days: { 1: "A day", 7: "A week", 30: "A month" },
  newLink: "New link",
  loading: "Loading your links",
  links: "Links",
  link: "Link",
  ends: (moment: string) => `Ends ${moment}`,
  send: "Send",
  embed: "Copy embed code",
  embedCopied: "Embed code copied",
  embedByHand: "The code for your page could not be copied. Copy it by hand:",
  withdraw: "Withdraw",
  withdrawOne: (moment: string) => `Withdraw the link that ends ${moment}`,
});
