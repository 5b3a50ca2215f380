/** What is put into a JPEG that a canvas wrote. */

const PROFILE = new TextEncoder().encode("ICC_PROFILE\0");
/** The most that a segment holds beside its length, that name, and the part's number. */
const MOST = 0xffff - 2 - PROFILE.length - 2;
const MARK = 0xff;
const APP2 = 0xe2;
const SCAN = 0xda;

/** A JPEG with another colour profile in the place of its own (ICC.1:2022, B.4). */
export function withProfile(
  jpeg: Uint8Array<ArrayBuffer>,
  profile: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer>[] {
  const parts = [jpeg.subarray(0, 2)];
  const count = Math.ceil(profile.length / MOST);
  for (let n = 0; n < count; n++) {
    const part = profile.subarray(n * MOST, (n + 1) * MOST);
    const length = 2 + PROFILE.length + 2 + part.length;
    parts.push(new Uint8Array([MARK, APP2, length >> 8, length & 0xff]));
    parts.push(PROFILE, new Uint8Array([n + 1, count]), part);
  }
  let at = 2;
  while (jpeg[at] === MARK && jpeg[at + 1] !== SCAN) {
    const end = at + 2 + (((jpeg[at + 2] as number) << 8) | (jpeg[at + 3] as number));
    if (!isProfile(jpeg, at)) parts.push(jpeg.subarray(at, end));
    at = end;
  }
  parts.push(jpeg.subarray(at));
  return parts;
}

function isProfile(jpeg: Uint8Array, at: number): boolean {
  return jpeg[at + 1] === APP2 && PROFILE.every((letter, n) => jpeg[at + 4 + n] === letter);
}
