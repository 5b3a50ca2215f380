"""HEIC photos, as phones make them, become JPEGs in the page that lie and look as on the phone."""

import base64
import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from gen3d.colours import matrix_profile
from gen3d.images import check_photo, read_photo
from tests.browser.driver import PATIENCE_MS, choose_photo
from tests.browser.test_alike import CURVE, P3, picture, turned
from tests.corpus.heif import heic

KEPT = """async () => {
    for (const { name } of await indexedDB.databases()) {
        const db = await new Promise((done, fail) => {
            const request = indexedDB.open(name);
            request.onsuccess = () => done(request.result);
            request.onerror = () => fail(request.error);
        });
        for (const store of db.objectStoreNames) {
            const values = await new Promise((done) => {
                const request = db.transaction(store).objectStore(store).getAll();
                request.onsuccess = () => done(request.result);
            });
            const photo = values.map(({ photo }) => photo?.blob).find((blob) => blob);
            if (photo) {
                const bytes = new Uint8Array(await photo.arrayBuffer());
                const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
                return [photo.type, btoa(text)];
            }
        }
    }
}"""
"""The photo that the page keeps while somebody signs in."""

STORED = picture().resize((256, 192), Image.Resampling.NEAREST)
SIDES = struct.pack(">II", *STORED.size)
WIDE = matrix_profile(P3, CURVE)
LEFT = Image.Transpose.ROTATE_90
MIRRORED = Image.Transpose.FLIP_LEFT_RIGHT


def in_srgb(image: Image.Image) -> Image.Image:
    """What somebody sees of a picture whose numbers are Display P3's."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", icc_profile=WIDE)
    return read_photo(buffer.getvalue())


KINDS: dict[str, tuple[bytes, Image.Image]] = {
    "as it is": (heic(STORED), STORED),
    "turned left": (heic(STORED, turn=1), STORED.transpose(LEFT)),
    "mirrored": (heic(STORED, mirror=1), STORED.transpose(MIRRORED)),
    "turned and mirrored": (
        heic(STORED, turn=1, mirror=1),
        STORED.transpose(LEFT).transpose(MIRRORED),
    ),
    "whose EXIF alone turns it": (heic(STORED, exif=turned(6)), STORED),
    "turned, which EXIF says once more": (
        heic(STORED, turn=1, exif=turned(8)),
        STORED.transpose(LEFT),
    ),
    "in tiles": (heic(STORED, tile=100, turn=1), STORED.transpose(LEFT)),
    "of ten bits": (heic(STORED, ten_bits=True), STORED),
    "of Display P3": (heic(STORED, colours=b"prof" + WIDE), in_srgb(STORED)),
    "of Display P3 by figures": (
        heic(STORED, colours=b"nclx" + bytes([0, 12, 0, 13, 0, 6, 0x80])),
        in_srgb(STORED),
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_heic_photo_lies_and_looks_as_on_the_phone(
    visitor: Page, tmp_path: Path, kind: str
) -> None:
    data, expected = KINDS[kind]
    file = tmp_path / "IMG_0001.HEIC"
    file.write_bytes(data)
    choose_photo(visitor, file)
    expect(visitor.get_by_text("IMG_0001.jpg")).to_be_visible(timeout=PATIENCE_MS)
    media_type, text = visitor.evaluate(KEPT)
    assert media_type == "image/jpeg"
    jpeg = base64.b64decode(text)
    assert check_photo(jpeg, "image/jpeg").width == expected.width
    seen = np.asarray(read_photo(jpeg)).astype(int)
    away = np.abs(seen - np.asarray(expected).astype(int))
    # Within the patches: both HEVC and JPEG smear their edges, the latter's colours two pixels far.
    assert np.median(away) <= 2
    assert np.percentile(away, 75) <= 6


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (heic(STORED)[:-500], "damaged"),
        (heic(STORED)[:100], "damaged"),
        (heic(STORED.resize((20, 400))), "each side needs 32"),
        (heic(STORED).replace(SIDES, struct.pack(">II", 30_000, 30_000)), "megapixels"),
    ],
)
def test_a_heic_photo_that_cannot_be_read_is_refused_with_a_reason(
    visitor: Page, tmp_path: Path, data: bytes, message: str
) -> None:
    file = tmp_path / "IMG_0002.HEIC"
    file.write_bytes(data)
    choose_photo(visitor, file)
    expect(visitor.get_by_role("alert")).to_contain_text(message, timeout=PATIENCE_MS)
    choose_photo(visitor, file.with_name("IMG_0002.HEIC"))
    expect(visitor.get_by_role("alert")).to_contain_text(message, timeout=PATIENCE_MS)
