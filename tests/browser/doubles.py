"""What an engine or a service would answer that is not there: answers of the real ones, changed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import BrowserContext, Locator, Route, expect
from safetensors import safe_open
from safetensors.numpy import save

from gen3d.contract import LOGIT_STEPS, LOGIT_ZERO
from gen3d_inference.embeddings import uncompressed
from tests.browser.driver import PATIENCE_MS, Selecting, choose_photo
from tests.local.running import RunningStack

Job = dict[str, Any]
Tensors = dict[str, NDArray[Any]]
Metadata = dict[str, str]


def changed(
    embeddings: bytes, folder: Path, how: Callable[[Tensors, Metadata], tuple[Tensors, Metadata]]
) -> bytes:
    """An embeddings file, changed; it lies in `folder` meanwhile."""
    path = folder / "embeddings.safetensors"
    path.write_bytes(uncompressed(embeddings, len(embeddings) * 100))
    with safe_open(path, "np") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        metadata = file.metadata()
    tensors, metadata = how(tensors, metadata)
    return save({k: np.ascontiguousarray(v) for k, v in tensors.items()}, metadata)


def with_masks(tensors: Tensors, metadata: Metadata) -> tuple[Tensors, Metadata]:
    """Two things are found by their name: around the cup, and on the table."""
    logits = np.full((2, 100, 100), LOGIT_ZERO - 6 * LOGIT_STEPS, np.uint8)
    logits[0, 10:50, 30:70] = LOGIT_ZERO + 6 * LOGIT_STEPS
    logits[1, 85:95, 2:14] = LOGIT_ZERO + 6 * LOGIT_STEPS
    scores = np.array([0.9, 0.6], np.float32)
    return {**tensors, "candidate_logits": logits, "candidate_scores": scores}, metadata


def as_draft(tensors: Tensors, metadata: Metadata) -> tuple[Tensors, Metadata]:
    """Another engine's, which sees everything a fourteenth of the photo further right."""
    rolled = {name: np.roll(v, v.shape[-1] // 14, axis=-1) for name, v in tensors.items()}
    return rolled, metadata | {"engine": "quick", "revision": "1"}


class Drafting:
    """A job whose first decoder is a draft's; the better one comes when it is let."""

    def __init__(self, person: BrowserContext, stack: RunningStack, folder: Path) -> None:
        self.person = person
        self.stack = stack
        self.folder = folder
        self.text: str | None = None
        """What is looked for by its name."""
        self.asked: list[str] = []
        """Whose embeddings were loaded."""
        self._better = False
        self._link = ""
        self.page = person.new_page()
        self.page.route("**/api/jobs/*", self._job)
        self.page.route("**/quick.safetensors", self._draft)
        self.page.route("**/embeddings.safetensors*", self.embeddings)
        self.page.goto(stack.url)

    def start(self, photo: Path) -> Selecting:
        """A job that waits for its mask."""
        choose_photo(self.page, photo)
        expect(self.page.locator(".viewport")).to_be_visible(timeout=PATIENCE_MS)
        return Selecting(self.page).ready()

    def come(self) -> None:
        """From now on there are better embeddings."""
        self._better = True

    @property
    def note(self) -> Locator:
        """What says that the masks were drawn anew."""
        return self.page.locator(".better")

    @property
    def news(self) -> Locator:
        """The words of the note."""
        return self.note.get_by_role("status")

    def _job(self, route: Route) -> None:
        answer = route.fetch()
        job: Job = answer.json()
        if job.get("status") == "AWAITING_MASK" and "decoder" in job:
            job |= {"text": self.text, "pollSeconds": 1}
            # The stack's own draft is of the same engine: where better ones are let, there are.
            job["decoder"]["draft"] = False
            if not self._better:
                job["decoder"] |= {"engine": "quick", "revision": "1", "draft": True}
                self._link = job["embeddings"]["url"]
                job["embeddings"] = {"url": f"{self.stack.url}/quick.safetensors"}
        route.fulfill(response=answer, json=job)

    def _draft(self, route: Route) -> None:
        self.asked.append("draft")
        body = self.person.request.get(self._link).body()
        route.fulfill(body=changed(body, self.folder, as_draft))

    def embeddings(self, route: Route) -> None:
        """The better ones."""
        self.asked.append("better")
        answer = route.fetch()
        body = answer.body()
        if self.text:
            body = changed(body, self.folder, with_masks)
        route.fulfill(response=answer, body=body)


def with_drafts(job: Job, **fields: Any) -> Job:
    """A finished job as it was before its meshes were there, with drafts of them."""
    objects = [
        {k: v for k, v in o.items() if k not in ("files", "mesh", "splat")}
        | {"status": "PENDING", "draft": {"files": o["files"], "mesh": o["mesh"]}}
        | {"progress": {"phase": "latentsCondition", "fraction": 0.42, "restSeconds": 12}}
        for o in job["objects"]
    ]
    return job | {"status": "RECONSTRUCTING", "objects": objects, "pollSeconds": 1} | fields
