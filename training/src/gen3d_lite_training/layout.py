"""The records that Python packs and the tracer reads: tracer/records.h, field for field."""

from dataclasses import dataclass

MAX_PRIMITIVES = 20
MAX_MATERIALS = 6
MAX_INSTANCES = 16
MAX_CUTOUTS = 28


@dataclass(frozen=True)
class Record:
    """Named slices of a row of floats.

    Parameters
    ----------
    fields
        Name → number of floats, in the struct's order.
    """

    fields: dict[str, int]

    @property
    def size(self) -> int:
        """Floats in one record."""
        return sum(self.fields.values())

    def __getitem__(self, name: str) -> slice:
        """Where the field lies."""
        start = 0
        for field, length in self.fields.items():
            if field == name:
                return slice(start, start + length)
            start += length
        raise KeyError(name)

    def at(self, name: str) -> int:
        """Index of a field of one float."""
        return int(self[name].start)


PRIMITIVE = Record(
    {
        "kind": 1,
        "centre": 3,
        "rotation": 9,
        "size": 3,
        "rounding": 1,
        "operation": 1,
        "blend": 1,
        "material": 1,
        "extra": 8,
    }
)
OBJECT = Record(
    {
        "primitives": MAX_PRIMITIVES * PRIMITIVE.size,
        "count": 1,
        "relief": 1,
        "relief_frequency": 1,
        "half_extent": 3,
        "palettes": MAX_MATERIALS,
    }
)
MATERIAL = Record(
    {
        "pattern": 1,
        "colours": 9,
        "frequency": 1,
        "contrast": 1,
        "specular": 1,
        "seed": 1,
        "angle": 1,
        "grain": 1,
    }
)
INSTANCE = Record(
    {
        "object": 1,
        "centre": 3,
        "rotation": 9,
        "scale": 1,
        "materials": MAX_MATERIALS * MATERIAL.size,
    }
)
CUTOUT = Record(
    {
        "kind": 1,
        "centre": 2,
        "size": 2,
        "angle": 1,
        "lobes": 6,
        "front": 1,
        "gradient": 2,
        "material": MATERIAL.size,
    }
)
SCENE = Record(
    {
        "eye": 3,
        "camera": 9,
        "focal": 2,
        "principal": 2,
        "light": 3,
        "light_strength": 1,
        "ambient": 1,
        "light_colour": 3,
        "shadow": 1,
        "occlusion": 1,
        "ground": 1,
        "wall_distance": 1,
        "wall_angle": 1,
        "side_distance": 1,
        "ceiling": 1,
        "sky_top": 3,
        "sky_bottom": 3,
        "sky_texture": 1,
        "instances": 1,
        "cutouts": 1,
        "ground_material": MATERIAL.size,
        "wall_material": MATERIAL.size,
        "sky_material": MATERIAL.size,
    }
)
