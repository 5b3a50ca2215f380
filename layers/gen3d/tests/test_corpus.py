"""Strangers' photos and masks: each is taken, or refused by the name that it deserves."""

from collections.abc import Callable

import pytest

from gen3d import contract
from gen3d.errors import Gen3DError
from gen3d.images import check_photo, read_mask, read_photo, read_reduced
from tests.corpus import bodies, case, masks, photos, splats
from tests.corpus.case import TAKEN
from tests.corpus.pictures import SIZE

LEAST = 300
"""Inputs in the corpus."""


def refusal(read: Callable[[], object]) -> Gen3DError | None:
    """The named error with which something was refused."""
    try:
        read()
    except Gen3DError as error:
        return error
    return None


def judge(read: Callable[[], object], expected: frozenset[str]) -> None:
    error = refusal(read)
    if error is None:
        assert TAKEN in expected
        return
    assert error.name in expected, error.message
    assert 400 <= error.status < 500
    assert error.message.endswith(".")
    # None of these reaches a limit of time or memory.
    assert "too long" not in error.message
    assert "memory" not in error.message


@pytest.mark.parametrize("case", photos.photos(), ids=lambda case: case.name)
def test_a_photo(case: case.Case) -> None:
    judge(lambda: check_photo(case.data, case.kind), case.expected)
    # The container asks nobody what was announced.
    judge(lambda: read_photo(case.data), case.expected | {TAKEN})
    judge(lambda: read_reduced(case.data, 32), case.expected | {TAKEN})


@pytest.mark.parametrize("case", masks.masks(), ids=lambda case: case.name)
def test_a_mask(case: case.Case) -> None:
    judge(lambda: read_mask(case.data, *SIZE), case.expected)


def test_the_corpus_is_as_large_as_was_promised() -> None:
    initialize = contract.InitializeRequest(image="s3://b/i", output="s3://b/o")
    reconstruct = contract.ReconstructRequest(image="s3://b/i", mask="s3://b/m", output="s3://b/o")
    counts = {
        "photos": len(photos.photos()),
        "masks": len(masks.masks()),
        "splats": len(splats.splats()),
        "bodies": len(bodies.container(initialize.model_dump(), reconstruct.model_dump())),
    }
    print(f"The corpus: {counts}, {sum(counts.values())} in all")
    assert sum(counts.values()) >= LEAST
    assert all(count >= LEAST // 10 for count in counts.values())
