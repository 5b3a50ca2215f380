import { describe, expect, it } from "vitest";
import { checkPhoto, sniff } from "../src/photo/photo";

const bytes = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));

describe("sniff", () => {
  it("goes by the bytes, not by the name", () => {
    expect(sniff(bytes("\xff\xd8\xff\xe0"))).toBe("image/jpeg");
    expect(sniff(bytes("\x89PNG\r\n\x1a\nIHDR"))).toBe("image/png");
    expect(sniff(bytes("RIFF\0\0\0\0WEBPVP8 "))).toBe("image/webp");
    expect(sniff(bytes("\0\0\0\x18ftypheic\0\0\0\0mif1heic"))).toBe("image/heic");
    expect(sniff(bytes("\0\0\0\x18ftypmif1\0\0\0\0mif1heic"))).toBe("image/heic");
    expect(sniff(bytes("\0\0\0\x18ftypmif1\0\0\0\0avifmif1"))).toBe("image/avif");
    expect(sniff(bytes("\0\0\0\x14ftypisom\0\0\0\0mp42"))).toBeNull();
    expect(sniff(bytes("RIFF\0\0\0\0WAVEfmt "))).toBeNull();
    expect(sniff(bytes(""))).toBeNull();
  });
});

describe("checkPhoto", () => {
  it("says what to do with what it cannot take", async () => {
    const wrong: [BlobPart[], RegExp][] = [
      [[], /empty/],
      [["hello, this is text"], /JPEG, HEIC, PNG/],
      [[bytes("\xff\xd8\xff"), new Uint8Array(20 * 1024 * 1024)], /at most 20 MB/],
    ];
    for (const [content, message] of wrong) {
      await expect(checkPhoto(new Blob(content), "f")).rejects.toThrow(message);
    }
  });
});
