"""Bodies that no client of ours would send, to each route that takes one."""

import base64
from typing import Any

import pytest

from gen3d.jobs import Status
from tests.corpus import bodies
from tests.support import make_job

from .requests import PutJob, call, refused

VALID: dict[str, dict[str, Any]] = {
    "create_job": {"filename": "cup.jpg", "contentType": "image/jpeg"},
    "rename_job": {"name": "Cup"},
    "initialize_job": {"text": "cup"},
    "create_mask_uploads": {"count": 1},
    "reconstruct_job": {"objects": [{"name": "Cup", "seed": 1}]},
    "retry_job": {"objects": [{"n": 0, "seed": 1}]},
}


def sent(data: bytes) -> dict[str, Any]:
    """How API Gateway hands a body on: as text, or in base64 where it is none."""
    try:
        return {"body": data.decode(), "isBase64Encoded": False}
    except UnicodeDecodeError:
        return {"body": base64.b64encode(data).decode(), "isBase64Encoded": True}


@pytest.fixture(autouse=True)
def _waits(states: Any, put_job: PutJob, identity_pool: Any) -> None:
    put_job(make_job(Status.AWAITING_MASK))


@pytest.mark.parametrize("route", VALID)
def test_what_is_no_object_is_refused(route: str) -> None:
    for case in bodies.raw():
        assert refused(call(route, **sent(case.data))) == (400, "InvalidRequest"), case.name


@pytest.mark.parametrize("route", VALID)
def test_a_field_of_a_wrong_type_is_never_a_fault_of_ours(route: str) -> None:
    for name, _, _, data in bodies.spoiled(route, VALID[route]):
        assert call(route, **sent(data))[0] < 500, name
