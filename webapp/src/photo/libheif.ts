/** HEIC photos, by libheif's C interface in WebAssembly. */

import type { MainModule } from "libheif-js/libheif-wasm/libheif.js";
import type { Size } from "./refused";

/** A photo's pixels, upright. */
export interface Pixels extends Size {
  /** Red, green, blue and alpha, row by row. */
  readonly data: Uint8ClampedArray<ArrayBuffer>;
  /** What the numbers mean: an ICC profile, or one of the spaces that a canvas knows. */
  readonly colours: Uint8Array<ArrayBuffer> | PredefinedColorSpace;
}

// heif_colorspace_RGB, heif_chroma_interleaved_RGBA and heif_channel_interleaved of libheif.
const RGB = 1;
const INTERLEAVED_RGBA = 11;
const INTERLEAVED = 10;
const NCLX = 0x6e636c78;
/** Display P3 in Rec. ITU-T H.273, table 2. */
const DISPLAY_P3 = 12;

/**
 * Decode the photo that a file shows first. libheif turns it as the file's own `irot` and `imir`
 * say, and as phones show it; the EXIF says the same once more.
 *
 * @param told Learns what size the file says that it has, before anything is decoded.
 * @throws Error if it cannot be read.
 */
export function decode(heif: MainModule, file: Uint8Array, told: (size: Size) => void): Pixels {
  const bytes = heif._malloc(file.length);
  const out = heif._malloc(16);
  const context = heif._heif_context_alloc();
  let handle = 0;
  let image = 0;
  // C returns its errors in memory that it is given: a code, another, and the words for it.
  const asked = (call: (error: number) => void) => {
    call(out);
    if (heif.HEAP32[out >> 2] !== 0) throw new Error(words(heif, heif.HEAPU32[(out >> 2) + 2]));
  };
  const given = () => heif.HEAPU32[(out >> 2) + 3] as number;
  try {
    heif.HEAPU8.set(file, bytes);
    asked((error) =>
      heif._heif_context_read_from_memory_without_copy(error, context, bytes, file.length, 0),
    );
    asked((error) => heif._heif_context_get_primary_image_handle(error, context, out + 12));
    handle = given();
    told({
      width: heif._heif_image_handle_get_width(handle),
      height: heif._heif_image_handle_get_height(handle),
    });
    asked((error) => heif._heif_decode_image(error, handle, out + 12, RGB, INTERLEAVED_RGBA, 0));
    image = given();
    const width = heif._heif_image_get_width(image, INTERLEAVED);
    const height = heif._heif_image_get_height(image, INTERLEAVED);
    const plane = heif._heif_image_get_plane_readonly(image, INTERLEAVED, out);
    const stride = heif.HEAP32[out >> 2] as number;
    const data = new Uint8ClampedArray(width * height * 4);
    for (let y = 0; y < height; y++) {
      const row = plane + y * stride;
      data.set(heif.HEAPU8.subarray(row, row + width * 4), y * width * 4);
    }
    return { width, height, data, colours: coloursOf(heif, handle, out) };
  } finally {
    if (image) heif._heif_image_release(image);
    if (handle) heif._heif_image_handle_release(handle);
    heif._heif_context_free(context);
    heif._free(out);
    heif._free(bytes);
  }
}

function coloursOf(heif: MainModule, handle: number, out: number): Pixels["colours"] {
  const size = heif._heif_image_handle_get_raw_color_profile_size(handle);
  if (size > 0) {
    const place = heif._malloc(size);
    try {
      heif._heif_image_handle_get_raw_color_profile(out, handle, place);
      return heif.HEAPU8.slice(place, place + size);
    } finally {
      heif._free(place);
    }
  }
  if (heif._heif_image_handle_get_color_profile_type(handle) !== NCLX) return "srgb";
  heif._heif_image_handle_get_nclx_color_profile(out, handle, out + 12);
  if (heif.HEAP32[out >> 2] !== 0) return "srgb";
  const profile = heif.HEAPU32[(out >> 2) + 3] as number;
  const primaries = heif.HEAP32[(profile >> 2) + 1]; // behind its version
  heif._heif_nclx_color_profile_free(profile);
  return primaries === DISPLAY_P3 ? "display-p3" : "srgb";
}

function words(heif: MainModule, start: number): string {
  return new TextDecoder().decode(heif.HEAPU8.subarray(start, heif.HEAPU8.indexOf(0, start)));
}
