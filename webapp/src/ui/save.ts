/** Have the browser save what was made in the page. */
export function save(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // A browser may begin to read it only then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** What a file may be called on any computer. */
export function fileName(name: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what no name may hold.
  return name.replace(/[\u0000-\u001f<>:"/\\|?*]+/g, "-").replace(/^[. ]+|[. ]+$/g, "") || "object";
}
