"""A photo and what shows an object of it become a mesh, and nobody opens a browser."""

import io
import struct
import time
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from gen3d_client.client import signed_in
from tests.local.running import ROOT, RunningStack

MESH_SECONDS = 400
"""The mesh step compiles its loops first, on a machine that is busy with other tests."""

EMAIL, PASSWORD = "you@example.com", "gen3d-on-this-machine-1"
COFFEE = ROOT / "examples" / "coffee.jpg"
CUP = {"name": "Cup", "clicks": [{"x": 0.48, "y": 0.3}, {"x": 0.2, "y": 0.6, "inside": False}]}
NOTHING = {"name": "Nothing", "rle": {"size": [2, 2], "counts": [0, 4]}}


class Caller:
    """Somebody with a token and no more than HTTP."""

    def __init__(self, stack: RunningStack) -> None:
        site, tokens = signed_in(stack.url, EMAIL, PASSWORD)
        self._http = httpx.Client(
            base_url=site.api_url,
            headers={"Authorization": f"Bearer {tokens.id_token}"},
            timeout=60,
        )

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        answer = self._http.request(method, path, json=body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def refused(self, body: Any, path: str = "/jobs") -> tuple[int, str]:
        answer = self._http.post(path, json=body)
        return answer.status_code, answer.json()["error"]

    def ended(self, job_id: str) -> Any:
        deadline = time.monotonic() + MESH_SECONDS
        while True:
            job = self.ask("GET", f"/jobs/{job_id}")
            if job["pollSeconds"] is None:
                return job
            assert job["status"] != "AWAITING_MASK"
            assert time.monotonic() < deadline, job
            time.sleep(0.25)


@pytest.mark.timeout(600)
def test_clicks_in_the_request_become_a_mesh(whole_stack: RunningStack) -> None:
    caller = Caller(whole_stack)
    said = {"filename": COFFEE.name, "contentType": "image/jpeg", "objects": [CUP, NOTHING]}
    created = caller.ask("POST", "/jobs", said)
    form = created["upload"]
    files = {"file": ("file", COFFEE.read_bytes(), "image/jpeg")}
    assert httpx.post(form["url"], data=form["fields"], files=files).is_success
    caller.ask("POST", f"/jobs/{created['jobId']}/initialize", {})

    job = caller.ended(created["jobId"])
    assert job["status"] == "COMPLETED", job
    cup, nothing = job["objects"]
    assert (nothing["status"], nothing["error"]["error"]) == ("FAILED", "InvalidMask")
    glb = httpx.get(cup["files"]["glb"]["url"]).content
    magic, version, length = struct.unpack("<4sII", glb[:12])
    assert (magic, version, length) == (b"glTF", 2, len(glb))
    mask = np.asarray(Image.open(io.BytesIO(httpx.get(cup["mask"]["url"]).content))) > 0
    assert mask.shape == (400, 600)
    assert mask[120, 288]
    assert not mask[240, 120]
    caller.ask("DELETE", f"/jobs/{job['jobId']}")


def test_nothing_is_fetched_from_the_machine_itself(whole_stack: RunningStack) -> None:
    caller = Caller(whole_stack)
    for url in ("https://localhost/", "https://2130706433/", "http://example.com/cup.jpg"):
        assert caller.refused({"imageUrl": url, "objects": [CUP]}) == (422, "AddressRefused")
