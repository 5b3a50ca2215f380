import "../styles/tokens.css";
import "./embed.css";
import { createClient } from "../api/client";
import { loadConfig } from "../config/config";
import { startLanguage } from "../texts/languages";
import { Embed } from "./embed";

/** Nobody is signed in here, and what is shared needs nobody. */
async function getShared(shareId: string) {
  const { apiUrl } = await loadConfig();
  return createClient({ baseUrl: apiUrl, key: "" }).getShared(shareId);
}

// Without its texts the page is in English.
await startLanguage().catch(() => undefined);
const [, , shareId = ""] = window.location.pathname.split("/");
new Embed(document.getElementById("embed") as HTMLElement, shareId, getShared);
