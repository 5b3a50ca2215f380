// What is wider than the window, or cut off where nobody can scroll to it.
() => {
  const width = document.documentElement.clientWidth;
  const faults = [];
  if (document.documentElement.scrollWidth > width) {
    faults.push(`the page has ${document.documentElement.scrollWidth} px`);
  }
  const named = (element) =>
    `<${element.tagName.toLowerCase()} class="${element.getAttribute("class") ?? ""}"> ` +
    (element.getAttribute("aria-label") ?? element.textContent ?? "").trim().slice(0, 30);
  // Read out and not seen, drawn beneath a label, or a photo that is larger than its window, as a
  // close-up is.
  const APART = ".visually-hidden, .skip-link, .viewport-layer, .segmented input, [hidden], " +
    ".point, .candidate img, .amplify-visually-hidden, .progress span, svg *";
  const cuts = (element) => getComputedStyle(element).overflowX !== "visible";
  const scrolls = (element) => /auto|scroll/.test(getComputedStyle(element).overflowX);
  for (const element of document.body.querySelectorAll("*")) {
    if (element.closest(APART) || !element.checkVisibility({ visibilityProperty: true })) continue;
    if (getComputedStyle(element).clipPath !== "none") continue;
    const box = element.getBoundingClientRect();
    if (box.width === 0) continue;
    let around = element.parentElement;
    while (around && !cuts(around) && around !== document.body) around = around.parentElement;
    const room = around === document.body ? { left: 0, right: width } : around.getBoundingClientRect();
    // What scrolls in a box of its own is in reach.
    if (around !== document.body && scrolls(around)) continue;
    const [left, right] = [Math.max(room.left, 0), Math.min(room.right, width)];
    if (box.right <= right + 1 && box.left >= left - 1) continue;
    const text = around !== document.body && !element.matches("a, button, input, select, summary");
    if (text && getComputedStyle(around).textOverflow === "ellipsis") continue;
    faults.push(`${named(element)} from ${Math.round(box.left)} to ${Math.round(box.right)}`);
  }
  for (const dialog of document.querySelectorAll("dialog[open]")) {
    if (dialog.scrollWidth > dialog.clientWidth) faults.push(`the dialog has ${dialog.scrollWidth} px`);
  }
  return faults;
}
