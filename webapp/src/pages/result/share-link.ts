/** The link that people send: the API's page for it, which chats can read, leads on to ours. */
export function shareLink(
  apiUrl: string,
  shareId: string,
  here: string = window.location.href,
): string {
  return new URL(`${apiUrl}/s/${shareId}`, here).href;
}

/**
 * What the frame may do: run its scripts as its own origin, and open the model's page beside it. It
 * cannot lead the page around it elsewhere.
 */
const SANDBOX = [
  "allow-scripts",
  "allow-same-origin",
  "allow-popups",
  "allow-popups-to-escape-sandbox",
];

/** The HTML that shows a share in a page of one's own. */
export function embedCode(
  shareId: string,
  name: string,
  here: string = window.location.href,
): string {
  const attributes = {
    src: new URL(`/embed/${shareId}`, here).href,
    title: name,
    width: "640",
    height: "480",
    style: "border:0;max-width:100%",
    loading: "lazy",
    allow: "fullscreen",
    sandbox: SANDBOX.join(" "),
    // Where the frame stands is nobody's business here.
    referrerpolicy: "no-referrer",
  };
  const written = Object.entries(attributes).map(([key, value]) => `${key}="${escaped(value)}"`);
  return `<iframe ${written.join(" ")}></iframe>`;
}

function escaped(words: string): string {
  return words.replace(/[&"<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
