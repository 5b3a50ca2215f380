"""One device, two who want it: a person's photo goes between two steps of an object.

An object takes up to minutes and a photo a tenth of a second, before which a person sits. So both
are taken in at once, and only one computes: whoever makes an object lets a photo pass each time it
tells how far it is, between two stages or sampling steps.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Condition

from PIL import Image

from gen3d.contract import Pose
from gen3d.options import EngineOptions, Offer
from gen3d_inference.engines.interface import (
    Depth,
    DepthEngine,
    Embeddings,
    Engine,
    Mask,
    Shape,
    Tell,
    silent,
)


class Turns:
    """Who computes now."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._taken = False
        self._wanted = 0

    @contextmanager
    def soon(self) -> Iterator[None]:
        """Compute as soon as whoever does lets somebody pass."""
        with self._changed:
            self._wanted += 1
            self._changed.wait_for(lambda: not self._taken)
            self._wanted -= 1
            self._taken = True
        try:
            yield
        finally:
            self._end()

    @contextmanager
    def long(self) -> Iterator[None]:
        """Compute when nobody else does or wants to."""
        self._begin()
        try:
            yield
        finally:
            self._end()

    def let_pass(self) -> None:
        """Whoever computes for long: wait while somebody else computes, if anybody wants to."""
        if self._wanted:
            self._end()
            self._begin()

    def _begin(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: not self._taken and not self._wanted)
            self._taken = True

    def _end(self) -> None:
        with self._changed:
            self._taken = False
            self._changed.notify_all()


class EngineInTurns:
    """An engine that may be asked for a photo while it makes an object.

    Its embeddings are the engine's to keep until the next photo: none else makes any.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._turns = Turns()
        self.name = engine.name
        self.revision = engine.revision
        self.offers: Offer = engine.offers
        self.phases: Mapping[str, float] = engine.phases

    @property
    def side(self) -> int:
        """As `Engine` has it."""
        return self._engine.side

    def initialize(self, photo: Image.Image, text: str | None = None) -> Embeddings:
        """As `Engine` has it, between two steps of an object."""
        with self._turns.soon():
            return self._engine.initialize(photo, text)

    def reconstruct(
        self, photo: Image.Image, mask: Mask, options: EngineOptions, tell: Tell = silent
    ) -> tuple[Shape, Pose | None]:
        """As `Engine` has it; photos pass meanwhile."""
        with self._turns.long():
            return self._engine.reconstruct(photo, mask, options, self._letting_pass(tell))

    def _letting_pass(self, tell: Tell) -> Tell:
        def told(phase: str, fraction: float) -> None:
            tell(phase, fraction)
            self._turns.let_pass()

        return told

    def works(self) -> bool:
        """As `Engine` has it."""
        return self._engine.works()


class DepthEngineInTurns(EngineInTurns):
    """The same of one that takes depth maps."""

    def __init__(self, engine: Engine, by_depth: DepthEngine) -> None:
        super().__init__(engine)
        self._by_depth = by_depth

    def reconstruct_by_depth(
        self, photo: Image.Image, mask: Mask, depth: Depth, options: EngineOptions, tell: Tell
    ) -> tuple[Shape, Pose | None]:
        """As `DepthEngine` has it; photos pass meanwhile."""
        with self._turns.long():
            told = self._letting_pass(tell)
            return self._by_depth.reconstruct_by_depth(photo, mask, depth, options, told)


def in_turns(engine: Engine) -> EngineInTurns:
    """An engine whose device two may want."""
    if isinstance(engine, DepthEngine):
        return DepthEngineInTurns(engine, engine)
    return EngineInTurns(engine)
