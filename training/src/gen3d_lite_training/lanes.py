"""Work that a GPU does side by side."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


class Lane:
    """A stream beside the current one: what is queued there need not wait for what follows here.

    A step's small kernels leave most of a GPU idle; a recorded step keeps its lanes. A CPU does
    everything in turn.

    Parameters
    ----------
    on_gpu
        Whether there is a GPU to divide.
    """

    def __init__(self, on_gpu: bool) -> None:
        self._stream = torch.cuda.Stream() if on_gpu else None

    @contextmanager
    def beside(self) -> Iterator[None]:
        """Queue the block's work on the lane, after all that has been queued here so far."""
        if self._stream is None:
            yield
            return
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            yield

    def join(self) -> None:
        """Have what is queued here from now on wait for the lane's work."""
        if self._stream is not None:
            torch.cuda.current_stream().wait_stream(self._stream)
