"""The mesh bench's tables, which a run fills row by row."""

from bench.mesh.__main__ import PLAN, SPEED, replaced

HEAD = "| cloud | method | F |\n|---|---|---|"


def test_a_row_takes_its_own_place_and_leaves_the_others() -> None:
    """A run that measures a part of the plan, or ends early, loses nothing of what was known."""
    old = "| chair, 300 k | preview | 1 |\n| mug, 300 k | fine | 2 |\n| other | standard | 3 |"
    text = f"Before.\n\n{HEAD}\n{old}\n\nAfter.\n"
    new = ["| mug, 300 k | fine | 5 |", "| mug, 300 k | standard | 4 |"]
    assert replaced(text, HEAD, new, 2) == (
        f"Before.\n\n{HEAD}\n| chair, 300 k | preview | 1 |\n| mug, 300 k | standard | 4 |\n"
        "| mug, 300 k | fine | 5 |\n| other | standard | 3 |\n\nAfter.\n"
    )


def test_a_line_is_known_by_so_many_cells() -> None:
    """A method's ratio over five clouds replaces the one over four."""
    text = f"{HEAD}\n| fine | 4 | .9 |"
    assert replaced(text, HEAD, ["| fine | 5 | .8 |"], 1) == f"{HEAD}\n| fine | 5 | .8 |"


def test_what_is_timed_beside_an_older_build_is_in_the_plan() -> None:
    """Else it would be measured once, and without a ratio."""
    assert set(PLAN) >= SPEED
    assert {name for name, _, _ in SPEED} == {"chair", "mug", "sphere", "torus", "two parts"}
