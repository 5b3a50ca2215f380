/** The link that people send: the API's page for it, which chats can read, leads on to ours. */
export function shareLink(
  apiUrl: string,
  shareId: string,
  here: string = window.location.href,
): string {
  return new URL(`${apiUrl}/s/${shareId}`, here).href;
}
