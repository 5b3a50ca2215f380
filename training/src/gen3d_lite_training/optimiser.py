"""The training loop that both trainings share: schedule, moving average, checkpoints, log."""

import math
import time
from collections.abc import Callable, Hashable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from .lanes import Lane
from .muon import Muon, hidden_weights


@dataclass(frozen=True)
class Plan:
    """How long and how fast.

    Attributes
    ----------
    steps
        In all.
    learning_rate
        At its highest; it falls to nearly 0 along half a cosine.
    warm_up
        Steps on which it rises.
    weight_decay
        Of weights with more than one axis.
    seed
        Of everything drawn: objects, scenes, prompts, first weights.
    switch
        Share of the steps at which larger images begin.
    """

    steps: int
    learning_rate: float = 2e-3
    warm_up: int = 200
    weight_decay: float = 0.03
    seed: int = 7
    switch: float = 0.62

    def late(self, step: int) -> bool:
        """Whether images are large."""
        return step >= self.switch * self.steps

    def rate(self, step: int) -> float:
        """Learning rate of a step."""
        rise = min(1.0, (step + 1) / self.warm_up)
        return (
            self.learning_rate * rise * (0.5 + 0.5 * math.cos(math.pi * step / self.steps)) + 1e-6
        )


class Average:
    """An exponential moving average of a network's weights; what is exported."""

    def __init__(self, network: nn.Module) -> None:
        self.state = {name: value.detach().clone() for name, value in network.state_dict().items()}
        self._floats = [name for name, value in self.state.items() if value.is_floating_point()]

    def update(self, network: nn.Module, step: int, every: int = 4) -> None:
        """Move towards the network's weights; the memory grows to a thousand updates."""
        if step % every:
            return
        count = step // every
        keep = min(0.999, (1 + count) / (20 + count))
        state = network.state_dict()
        torch._foreach_lerp_(
            [self.state[name] for name in self._floats],
            [state[name] for name in self._floats],
            1 - keep,
        )


def averaged(checkpoint: Path) -> dict[str, Tensor]:
    """Read the averaged weights of a checkpoint, on the CPU."""
    saved = torch.load(checkpoint, map_location="cpu", weights_only=True)
    weights: dict[str, Tensor] = saved["average"]
    return weights


Figures = dict[str, Tensor]
Batch = TypeVar("Batch", bound=tuple[Tensor, ...])

SAVE_EVERY = 2_000


class _Step:
    """A training step that a GPU records once, as a CUDA graph, and replays from then on.

    Its thousands of small kernels take longer to launch from Python than to run.
    """

    WARM_UP = 4
    """Steps taken before one is recorded: what compiles or allocates does so in these."""

    def __init__(self, take: Callable[[], tuple[Tensor, Figures]], recorded: bool) -> None:
        self._take = take
        self._left = self.WARM_UP if recorded else -1
        self._graph: torch.cuda.CUDAGraph | None = None
        self._answer: tuple[Tensor, Figures] | None = None

    def __call__(self) -> tuple[Tensor, Figures]:
        """Take the step; the tensors answered hold until the next one."""
        if self._left == 0 and self._graph is None:
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph, stream=torch.cuda.current_stream()):
                self._answer = self._take()
        if self._graph is not None and self._answer is not None:
            self._graph.replay()
            return self._answer
        self._left -= 1
        return self._take()


def _optimisers(
    network: nn.Module, rate: Tensor, weight_decay: float
) -> tuple[Muon, torch.optim.AdamW]:
    """Muon for hidden layers' matrices, AdamW for the rest; neither waits for the host."""
    hidden = hidden_weights(network)
    muons = set(hidden)
    rest = [weight for weight in network.parameters() if weight not in muons]
    groups = [
        {"params": [p for p in rest if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in rest if p.ndim <= 1], "weight_decay": 0.0},
    ]
    on_gpu = rate.is_cuda
    adam = torch.optim.AdamW(
        groups, rate, betas=(0.9, 0.98), fused=on_gpu, capturable=on_gpu, foreach=False
    )
    return Muon(hidden, rate, weight_decay=weight_decay), adam


def train(
    network: nn.Module,
    plan: Plan,
    draw: Callable[[int], Batch],
    step_loss: Callable[[Batch], tuple[Tensor, Figures]],
    checkpoint: Path,
    seconds: float | None = None,
    on_log: Callable[[str], None] = print,
    stage: Callable[[int], Hashable] = lambda _: None,
) -> bool:
    """Train to the plan's end, or as long as there is time, from the last checkpoint on.

    Each step draws from its own seed, so that a training that was cut off goes on as if it had not
    been.

    Parameters
    ----------
    network
        What is trained; it lies on its device.
    plan
        How.
    draw
        Draws what a step learns from. A GPU does so beside the step before, which takes a
        twentieth less time than one after the other.
    step_loss
        Answers a batch's loss and figures for the log. On a GPU both are recorded: they must not
        have the host wait for a result, and `draw` may look at the step only to tell stages apart.
    checkpoint
        Read if it exists, written every `SAVE_EVERY` steps and at the end.
    seconds
        Stop after these.
    on_log
        Takes a line.
    stage
        Tells steps of different shapes apart.

    Returns
    -------
    bool
        Whether the plan's end was reached.
    """
    device = next(network.parameters()).device
    rate = torch.zeros((), device=device)
    optimisers = _optimisers(network, rate, plan.weight_decay)
    on_gpu = device.type == "cuda"
    lane = Lane(on_gpu)
    average, start, began = Average(network), 0, time.monotonic()
    if checkpoint.exists():
        saved = torch.load(checkpoint, map_location=device, weights_only=True)
        network.load_state_dict(saved["network"])
        for optimiser, state in zip(optimisers, saved["optimisers"], strict=True):
            optimiser.load_state_dict(state)
            for group in optimiser.param_groups:
                group["lr"] = rate
        average.state, start = saved["average"], saved["step"]

    def save(step: int) -> None:
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        state = {
            "network": network.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in optimisers],
            "average": average.state,
            "step": step,
        }
        torch.save(state, checkpoint.with_suffix(".new"))
        checkpoint.with_suffix(".new").replace(checkpoint)

    def seed(step: int) -> None:
        torch.manual_seed(plan.seed * 1_000_003 + step)

    def stepping(step: int) -> _Step:
        seed(step - 1)
        with torch.no_grad():
            batch = draw(step)

        def take() -> tuple[Tensor, Figures]:
            network.zero_grad()
            with torch.no_grad(), lane.beside():
                upcoming = draw(step)
            loss, figures = step_loss(batch)
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            for optimiser in optimisers:
                optimiser.step()
            lane.join()
            torch._foreach_copy_(batch, upcoming)
            return loss.detach(), figures

        return _Step(take, recorded=on_gpu)

    with torch.cuda.stream(torch.cuda.Stream(priority=-1)) if on_gpu else nullcontext():
        take = stepping(start)
        for step in range(start, plan.steps):
            if step > start and stage(step) != stage(step - 1):
                take = stepping(step)
            seed(step)
            rate.fill_(plan.rate(step))
            loss, figures = take()
            average.update(network, step)
            done, elapsed = step + 1, time.monotonic() - began
            if done % 100 == 0 or done in (1, 10, 30):
                text = " ".join(f"{name} {value.item():.4f}" for name, value in figures.items())
                on_log(f"step {done}/{plan.steps} {elapsed:.0f} s loss {loss.item():.3f} {text}")
            if done % SAVE_EVERY == 0:
                save(done)
            if seconds is not None and elapsed > seconds and done < plan.steps:
                save(done)
                return False
        save(plan.steps)
    return True
