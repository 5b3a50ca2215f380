"""What the engines of torch have in common: a GPU, weights that are checked beside the loading."""

import logging
import traceback
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Generic, TypeVar

from PIL import Image
from torch import Tensor

from gen3d.contract import EmbeddingsMeta
from gen3d.errors import Gen3DError
from gen3d_inference import weights
from gen3d_inference.engines.interface import Embeddings, Tell, silent
from gen3d_inference.engines.parts import gpu
from gen3d_inference.engines.parts.acceleration import keep_compiled
from gen3d_inference.engines.parts.precision import store, storing_for

logger = logging.getLogger(__name__)

T = TypeVar("T")

_TOLD_SECONDS = 0.1
"""Between two words about what is still being loaded, which takes up to a minute."""


class LoadedBeside(Generic[T]):
    """What reconstructs, loaded beside the first photos: a person clicks before it is asked for.

    Parameters
    ----------
    threads : ThreadPoolExecutor
        Where it is loaded first.
    load : callable
        Why it fails is logged at once, since nobody may ask for it for a while.
    """

    def __init__(self, threads: ThreadPoolExecutor, load: Callable[[], T]) -> None:
        self._load = load
        self._loaded: Future[T] = threads.submit(self._logged)

    def get(self, tell: Tell = silent) -> T:
        """Wait for it; where loading failed, it is tried again.

        That it is loading is told again and again: a photo goes each time that something is told.

        Raises
        ------
        Gen3DError
            What `load` raises.
        """
        if self._loaded.done() and self._loaded.exception() is not None:
            threads = ThreadPoolExecutor(1, "loading")
            self._loaded = threads.submit(self._logged)
            threads.shutdown(wait=False)
        while not self._loaded.done():
            tell("loading", 0.0)
            wait([self._loaded], _TOLD_SECONDS)
        return self._loaded.result()

    def _logged(self) -> T:
        try:
            return self._load()
        except Exception as error:
            # What was made so far would stay as long as the failure is remembered.
            traceback.clear_frames(error.__traceback__)
            if isinstance(error, Gen3DError):
                logger.error(error.message, extra={"fields": {"error": error.name}})
            raise


class TorchEngine:
    """Masks by a model of the Segment Anything family, whose decoder runs in the browser.

    Hashing weights takes seconds a gigabyte, so it runs beside the loading, in a thread of its own:
    first what is needed from the start, then the rest.

    Parameters
    ----------
    folder : Path
        Sealed weights, ``decoder.onnx`` among them.
    revision : str or None
        The only revision to accept.
    needs : Needs
        Of the GPU.
    first : tuple of str
        What the names of files begin with that are needed from the start.

    Raises
    ------
    WeightsInvalid
        Absent, partial, or of another revision.
    GpuUnavailable
    """

    name: str

    def __init__(
        self, folder: Path, revision: str | None, needs: gpu.Needs, first: tuple[str, ...]
    ) -> None:
        manifest = weights.read(folder, self.name, revision)
        self.revision = manifest.revision
        self._folder = folder
        self._device = gpu.choose(needs)
        if self._device.type == "cuda":
            keep_compiled(folder, self.revision)
        files = manifest.files
        self._rest = {n: file for n, file in files.items() if not n.startswith(first)}
        begins = {n: file for n, file in files.items() if n not in self._rest}
        self._beside = ThreadPoolExecutor(1, "weights")
        self._first_verified: Future[None] = self._beside.submit(weights.verify, folder, begins)
        self._storing = storing_for(folder / "decoder.onnx")

    def works(self) -> bool:
        """Whether the GPU answers."""
        return gpu.works(self._device)

    def _verify_rest(self) -> None:
        """Hold the other files against their digests."""
        weights.verify(self._folder, self._rest)

    def _embeddings(self, tensors: dict[str, Tensor], side: int, photo: Image.Image) -> Embeddings:
        """What the page's decoder is fed with, of a photo that was stretched to so many pixels."""
        stored = gpu.to_host(store(tensors, self._storing))
        meta = EmbeddingsMeta(
            engine=self.name,
            revision=self.revision,
            input_width=str(side),
            input_height=str(side),
            image_width=str(photo.width),
            image_height=str(photo.height),
            precision=self._storing.precision,
            single_mask_index="0",
        )
        return Embeddings({name: tensor.numpy() for name, tensor in stored.items()}, meta)

    def _within_memory(
        self, work: Callable[[], T], larger: str, free: Callable[[], object] = lambda: None
    ) -> T:
        """Do work; where the GPU's memory does not suffice, free it, and name a larger instance."""
        return gpu.within_memory(
            work,
            free,
            "Try again with a smaller photo, or deploy on an instance with a larger GPU, such as "
            f"{larger}.",
        )
