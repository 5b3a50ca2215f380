"""PLY files that no engine of ours would write."""

import random
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from gen3d.ply import PROPERTIES
from tests.corpus.case import TAKEN, Case, cuts, unique

GOOD = frozenset({TAKEN})
BAD = frozenset({"InvalidSplat"})
EMPTY = frozenset({"EmptySurface"})
LARGE = frozenset({"SplatTooLarge"})
ANY = BAD | EMPTY | LARGE

COUNT = 400


def splats() -> list[Case]:
    """Files; what is expected of reading them. Making a mesh of them may find no surface, too."""
    return unique(
        case for part in (_headers, _bodies, _values, _ascii, _damaged) for case in part()
    )


def head(
    count: object = COUNT,
    names: tuple[str, ...] = PROPERTIES,
    order: str = "binary_little_endian",
    kind: str = "float",
) -> bytes:
    """A PLY's header."""
    lines = ["ply", f"format {order} 1.0", f"element vertex {count}"]
    return "\n".join(
        [*lines, *(f"property {kind} {name}" for name in names), "end_header\n"]
    ).encode()


def values() -> npt.NDArray[np.float32]:
    """Gaussians on a sphere, opaque, so large that they touch."""
    lot = np.random.default_rng(18)
    rows = np.zeros((COUNT, len(PROPERTIES)), "<f4")
    points = lot.normal(size=(COUNT, 3))
    rows[:, :3] = 0.4 * points / np.linalg.norm(points, axis=1, keepdims=True)
    rows[:, PROPERTIES.index("opacity")] = 5
    rows[:, 10:13] = np.log(0.02)
    rows[:, 13] = 1
    return rows


def _headers() -> Iterator[Case]:
    good, body = head(), values().tobytes()
    whole = good + body
    for name, expected, data in (
        ("whole", GOOD, whole),
        ("nothing", BAD, b""),
        ("text", BAD, b"not a splat"),
        ("zeros", BAD, bytes(2000)),
        ("another letter first", BAD, b"P" + whole[1:]),
        ("a mark of byte order first", BAD, b"\xef\xbb\xbf" + whole),
        ("lines that end as in Windows", GOOD, good.replace(b"\n", b"\r\n") + body),
        ("lines that end as they did on Macs", BAD, good.replace(b"\n", b"\r") + body),
        ("no end of its header", BAD, good.replace(b"end_header", b"") + body),
        ("a header of a megabyte", BAD, good[:4] + b"comment x\n" * 100_000 + good[4:] + body),
        ("a comment", GOOD, good[:4] + b"comment \xff\xfe\0\n" + good[4:] + body),
        ("an info", GOOD, good[:4] + b"obj_info x\n" + good[4:] + body),
        ("no format", BAD, good.replace(b"format binary_little_endian 1.0\n", b"") + body),
        ("a format that does not exist", BAD, head(order="binary_middle_endian") + body),
        ("two formats", GOOD | BAD, good[:4] + b"format ascii 1.0\n" + good[4:] + body),
        ("another version of the format", GOOD | BAD, good.replace(b" 1.0", b" 9.9") + body),
        ("no element", BAD, good.replace(f"element vertex {COUNT}\n".encode(), b"") + body),
        ("two elements of vertices", GOOD | BAD,
         good.replace(b"end_header", b"element vertex 1\nend_header") + body),
        ("an empty kind of rows first", GOOD,
         good.replace(b"element", b"element face 1\nelement", 1) + body),
        ("faces of no number behind", GOOD,
         good.replace(b"end_header", b"element face x\nend_header") + body),
        ("a property of lists", BAD, good.replace(b"float z", b"list uchar float z") + body),
        ("a property of no type", BAD, good.replace(b"float z", b"z") + body),
        ("a property of another type", BAD, good.replace(b"float z", b"quad z") + body),
        ("a property named twice", BAD, good.replace(b"float z", b"float x") + body),
        ("a property without a name", BAD, good.replace(b"float z", b"float") + body),
        ("a property before its element", BAD, good[:4] + b"property float x\n" + good[4:] + body),
        ("a line of a megabyte", BAD, good[:4] + b"x" * 1_000_000 + b"\n" + good[4:] + body),
        ("a line that nobody knows", BAD, good[:4] + b"\x00\x01\x02\n" + good[4:] + body),
        ("no properties", BAD, head(names=()) + body),
        ("a thousand properties more", BAD,
         head(names=(*PROPERTIES, *(f"p{n}" for n in range(1000)))) + body),
    ):  # fmt: skip
        yield Case(f"splat with {name}", data, expected)
    for count, expected in (
        (0, EMPTY), (-1, BAD), ("1e3", BAD), ("0x10", BAD), ("+5", BAD), (" ", BAD), ("١٢", BAD),
        (COUNT + 1, BAD), (2_000_001, BAD), (50_000_001, LARGE), (2**31, LARGE), (2**32, LARGE),
        (2**63, LARGE), (10**30, LARGE), ("9" * 4000, BAD), ("9" * 9000, BAD),
        ("0" * 30 + "5", GOOD),
    ):  # fmt: skip
        yield Case(f"splat of {str(count)[:40]} ({len(str(count))})", head(count) + body, expected)
    for name in PROPERTIES:
        names = tuple(other for other in PROPERTIES if other != name)
        # Two scales are 2DGS.
        lacks = GOOD if name.startswith("n") or name == "scale_2" else BAD
        yield Case(f"splat without {name}", head(names=names) + body, lacks)


def _bodies() -> Iterator[Case]:
    good, rows = head(), values()
    yield from cuts("splat", good + rows.tobytes(), BAD)
    yield Case("splat with more behind its end", good + rows.tobytes() + b"more", GOOD)
    yield Case("splat without a body", good, BAD)
    for kind, dtype in (("double", "<f8"), ("int", "<i4"), ("uchar", "u1"), ("short", "<i2")):
        data = np.clip(rows, 0, 100).astype(dtype).tobytes()
        yield Case(f"splat of {kind}", head(kind=kind) + data, GOOD)
    order = "binary_big_endian"
    yield Case(f"splat of {order}", head(order=order) + rows.astype(">f4").tobytes(), GOOD)
    yield Case("splat of the other order than it says", head(order=order) + rows.tobytes(), GOOD)


def _values() -> Iterator[Case]:
    odd = (np.nan, np.inf, -np.inf, 0, 1e-45, -1e-45, 3e38, -3e38, 88, 89, -104, 1e9)
    for first, last, what in ((0, 3, "centres"), (6, 9, "colours"), (9, 10, "opacity"),
                              (10, 13, "scales"), (13, 17, "rotations")):  # fmt: skip
        for value in odd:
            for every in (1, 2):
                rows = values()
                rows[::every, first:last] = value
                name = f"splat with {what} of {value}{' in every second' * (every - 1)}"
                yield Case(
                    name, head() + rows.tobytes(), GOOD if every == 2 else GOOD | BAD | EMPTY
                )
    for name, changed in (
        ("one point", lambda points: points * 0 + 0.25),
        ("a line", lambda points: points * (0, 0, 1)),
        ("a plane", lambda points: points * (1, 1, 0)),
        ("half a point and half a sphere", lambda points: points * (np.arange(COUNT) % 2)[:, None]),
        ("a sphere and one far away", lambda points: np.r_[points[1:], [[1e30] * 3]]),
        ("a sphere and a few far away", lambda points: np.r_[points[8:], points[:8] * 1e6]),
        ("all far away", lambda points: points + 1e7),
        ("all but nothing", lambda points: points * 1e-20),
        ("all but everything", lambda points: points * 1e30),
    ):
        rows = values()
        rows[:, :3] = changed(rows[:, :3].astype(np.float64))  # type: ignore[no-untyped-call]
        yield Case(f"splat of {name}", head() + rows.tobytes(), GOOD)
    ones = np.full((COUNT, len(PROPERTIES)), 0xFFFFFFFF, "<u4").tobytes()
    yield Case("splat of all bits set", head() + ones, BAD)


def _ascii() -> Iterator[Case]:
    lines = "\n".join(" ".join(f"{value:.6g}" for value in row) for row in values()).encode()
    start = head(order="ascii")
    for name, expected, data in (
        ("whole", GOOD, start + lines),
        ("of one line", GOOD, start + lines.replace(b"\n", b" ")),
        ("of a value a line", GOOD, start + lines.replace(b" ", b"\n")),
        ("with tabs", GOOD, start + lines.replace(b" ", b"\t\t")),
        ("with more behind its end", GOOD, start + lines + b"\n1 2 3\nmore"),
        ("cut off", BAD, start + lines[: len(lines) // 2]),
        ("of words", BAD, start + b"word " * COUNT * len(PROPERTIES)),
        ("of hexadecimal numbers", BAD, start + b"0x10 " * COUNT * len(PROPERTIES)),
        ("of no numbers", BAD, start + b"nan " * COUNT * len(PROPERTIES)),
        ("of numbers beyond measure", BAD, start + b"1e999 " * COUNT * len(PROPERTIES)),
        ("of long numbers", BAD, start + (b"0." + b"1" * 300 + b" ") * COUNT * len(PROPERTIES)),
        ("of decimal commas", BAD, start + lines.replace(b".", b",")),
        ("that is binary", BAD, start + values().tobytes()),
        ("that says binary", BAD, head() + lines[:20_000]),
        ("of 1,999,999 gaussians", LARGE, head(1_999_999, order="ascii") + lines),
    ):
        yield Case(f"ascii splat {name}", data, expected)


def _damaged() -> Iterator[Case]:
    lot = random.Random(18)
    whole, size = head() + values().tobytes(), len(head())
    for n in range(30):
        changed = bytearray(whole)
        for _ in range(lot.choice((1, 3, 30))):
            place = lot.randrange(size) if n % 2 else lot.randrange(len(whole))
            changed[place] = lot.randrange(256)
        yield Case(f"damaged splat {n}", bytes(changed), GOOD | ANY)
