"""What goes into upstream's pipeline, what comes out of it, and what is refused."""

import gc
import weakref
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from container.tests.sam.objects.fake_pipeline import PHASES, FakePipeline, Gaussian
from gen3d.errors import InvalidMask, OutOfMemory, ReconstructionFailed, WeightsInvalid
from gen3d.options import EngineOptions, Quality
from gen3d_inference import ply_writer
from gen3d_inference.engines.sam import sam_engine
from gen3d_inference.engines.sam.objects import ObjectReconstruction
from gen3d_inference.engines.sam.objects.reconstruction import SHORTCUT, offload_wanted, rgba

PHOTO = Image.fromarray(np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8))
MASK = np.zeros((40, 60), bool)
MASK[10:30, 20:50] = True


@pytest.fixture
def pipeline() -> FakePipeline:
    return FakePipeline()


@pytest.fixture
def reconstruction(pipeline: FakePipeline) -> ObjectReconstruction:
    return ObjectReconstruction(Path(), "cpu", load=lambda *_: pipeline)


class TestMask:
    @pytest.mark.parametrize("dtype", [bool, np.uint8, np.float32])
    @pytest.mark.parametrize("high", [1, 255])
    def test_becomes_an_alpha_of_0_and_255(self, dtype: type, high: int) -> None:
        image = rgba(PHOTO, (MASK * high).astype(dtype))
        assert image.dtype == np.uint8
        assert image.shape == (40, 60, 4)
        np.testing.assert_array_equal(image[..., 3], MASK * 255)
        np.testing.assert_array_equal(image[..., :3], np.asarray(PHOTO))

    @pytest.mark.parametrize(
        ("mask", "reason"),
        [
            (np.zeros((40, 60), bool), "empty"),
            (MASK.T, "40×60 pixels, the photo 60×40"),
            (MASK[..., None], "pixels, the photo"),
            (np.ones(7, bool), "pixels, the photo"),
        ],
    )
    def test_that_upstream_trips_over_is_refused(self, mask: Any, reason: str) -> None:
        with pytest.raises(InvalidMask, match=reason):
            rgba(PHOTO, mask)

    @pytest.mark.parametrize("size", [(1, 1), (2, 9), (9, 2)])
    def test_too_thin_for_a_box_is_refused(self, size: tuple[int, int]) -> None:
        mask = np.zeros((40, 60), bool)
        mask[5 : 5 + size[0], 5 : 5 + size[1]] = True
        with pytest.raises(InvalidMask, match="thinner than 3"):
            rgba(PHOTO, mask)

    def test_of_the_thinnest_box_is_taken(self) -> None:
        mask = np.zeros((40, 60), bool)
        mask[5:8, 5:8] = True
        rgba(PHOTO, mask)

    def test_is_refused_before_anything_runs(
        self, reconstruction: ObjectReconstruction, pipeline: FakePipeline
    ) -> None:
        with pytest.raises(InvalidMask):
            reconstruction.run(PHOTO, MASK[:-1], EngineOptions())
        assert pipeline.calls == []


class TestRun:
    def test_asks_for_gaussians_alone(
        self, reconstruction: ObjectReconstruction, pipeline: FakePipeline
    ) -> None:
        reconstruction.run(PHOTO, MASK, EngineOptions(seed=7))
        (call,) = pipeline.calls
        assert call["decode_formats"] == ["gaussian"]
        assert call["seed"] == 7
        assert call["mask"] is None
        for postprocess in ("mesh_postprocess", "texture_baking", "layout_postprocess"):
            assert call[f"with_{postprocess}"] is False

    @pytest.mark.parametrize("shortcut", [True, False])
    def test_fast_goes_by_the_shortcut_where_there_is_one(self, shortcut: bool) -> None:
        pipeline = FakePipeline()
        pipeline.models["ss_generator"].reverse_fn.backbone = SimpleNamespace(
            is_shortcut_model=shortcut
        )
        reconstruction = ObjectReconstruction(Path(), "cpu", load=lambda *_: pipeline)
        for quality in ("fast", "standard"):
            reconstruction.run(PHOTO, MASK, EngineOptions(quality=quality))
        fast, standard = pipeline.calls
        assert fast["use_stage1_distillation"] is shortcut
        assert fast["stage1_inference_steps"] == (SHORTCUT if shortcut else 2)
        assert not fast["use_stage2_distillation"]
        assert not standard["use_stage1_distillation"]
        assert standard["stage1_inference_steps"] == 4

    @pytest.mark.parametrize(("quality", "steps"), [("fast", 2), ("standard", 4)])
    def test_fast_takes_fewer_steps(
        self,
        quality: Quality,
        steps: int,
        reconstruction: ObjectReconstruction,
        pipeline: FakePipeline,
    ) -> None:
        reconstruction.run(PHOTO, MASK, EngineOptions(quality=quality))
        (call,) = pipeline.calls
        assert [call[f"stage{n}_inference_steps"] for n in (1, 2)] == [steps] * 2

    def test_gives_gaussians_that_can_be_written(
        self, reconstruction: ObjectReconstruction
    ) -> None:
        gaussians, _ = reconstruction.run(PHOTO, MASK, EngineOptions())
        assert len(gaussians) == 5
        assert {array.dtype for array in vars(gaussians).values()} == {np.dtype(np.float32)}
        np.testing.assert_allclose(gaussians.opacity, 2.5, atol=1e-6)
        np.testing.assert_allclose(gaussians.scale, np.log(0.25))
        np.testing.assert_array_equal(gaussians.rotation, [[1, 0, 0, 0]] * 5)
        assert len(ply_writer.pack(gaussians)) > 5 * 68

    def test_pose_turns_columns_as_upstream_turns_rows(
        self, reconstruction: ObjectReconstruction
    ) -> None:
        _, pose = reconstruction.run(PHOTO, MASK, EngineOptions())
        assert pose.rotation == (0.5, -0.5, 0.5, -0.5)
        assert pose.translation == (1, 2, 3)
        assert pose.scale == (4, 4, 4)

    def test_seed_decides(self, reconstruction: ObjectReconstruction) -> None:
        first, again, other = (
            reconstruction.run(PHOTO, MASK, EngineOptions(seed=s))[0].xyz for s in (1, 1, 2)
        )
        np.testing.assert_array_equal(first, again)
        assert not np.array_equal(first, other)

    def test_tells_of_each_stage_and_step(self, reconstruction: ObjectReconstruction) -> None:
        told: list[tuple[str, float]] = []
        reconstruction.run(
            PHOTO, MASK, EngineOptions(), lambda phase, done: told.append((phase, done))
        )
        steps = [0, 0.25, 0.5, 0.75, 1]
        assert told == [
            (phase, done)
            for phase in PHASES
            for done in (steps if phase in ("structure", "latents") else [0, 1])
        ]
        assert tuple(sam_engine.PHASES) == PHASES

    def test_times_each_stage_of_the_last_run(self, reconstruction: ObjectReconstruction) -> None:
        for _ in range(2):
            reconstruction.run(PHOTO, MASK, EngineOptions())
            assert tuple(reconstruction.timings) == PHASES


def _with(name: str, index: int, value: float) -> Callable[[dict[str, Any]], None]:
    def change(output: dict[str, Any]) -> None:
        getattr(output["gs"], name)[index] = value

    return change


class TestRefuses:
    @pytest.mark.parametrize("name", ["get_xyz", "_features_dc", "_opacity", "get_scaling"])
    @pytest.mark.parametrize("value", [np.nan, np.inf])
    def test_gaussians_that_are_no_numbers(
        self, reconstruction: ObjectReconstruction, pipeline: FakePipeline, name: str, value: float
    ) -> None:
        pipeline.change = _with(name, 2, value)
        with pytest.raises(ReconstructionFailed, match="1 of 5 gaussians"):
            reconstruction.run(PHOTO, MASK, EngineOptions())
        pipeline.change = lambda output: output
        reconstruction.run(PHOTO, MASK, EngineOptions())

    @pytest.mark.parametrize("logit", [40.0, -120.0])
    def test_no_opacity_that_upstream_would_write_as_infinite(
        self, reconstruction: ObjectReconstruction, pipeline: FakePipeline, logit: float
    ) -> None:
        pipeline.change = _with("_opacity", 2, logit)
        gaussians, _ = reconstruction.run(PHOTO, MASK, EngineOptions())
        assert gaussians.opacity[2] == logit + 0.5

    def test_no_gaussians(
        self, reconstruction: ObjectReconstruction, pipeline: FakePipeline
    ) -> None:
        pipeline.change = lambda output: {**output, "gs": Gaussian(torch.zeros(3), 0)}
        with pytest.raises(ReconstructionFailed, match="No gaussians"):
            reconstruction.run(PHOTO, MASK, EngineOptions())

    @pytest.mark.parametrize("bias", [-1000.0, np.nan])
    def test_a_shape_without_voxels(
        self, reconstruction: ObjectReconstruction, pipeline: FakePipeline, bias: float
    ) -> None:
        pipeline.models["ss_decoder"].bias.data.fill_(bias)
        with pytest.raises(ReconstructionFailed, match="No shape"):
            reconstruction.run(PHOTO, MASK, EngineOptions())

    @pytest.mark.parametrize("name", ["rotation", "translation", "scale"])
    def test_a_pose_that_is_no_numbers(
        self, reconstruction: ObjectReconstruction, pipeline: FakePipeline, name: str
    ) -> None:
        pipeline.change = lambda output: output[name].fill_(np.nan) is None
        with pytest.raises(ReconstructionFailed, match="place in the photo"):
            reconstruction.run(PHOTO, MASK, EngineOptions())


class TestOutOfMemory:
    @pytest.mark.parametrize(
        "error",
        [
            torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB."),
            RuntimeError("CUDA error: out of memory"),
        ],
    )
    def test_is_named_and_the_next_job_works(
        self, reconstruction: ObjectReconstruction, pipeline: FakePipeline, error: Exception
    ) -> None:
        network = pipeline.models["slat_decoder_gs"]
        network.fails = error
        with pytest.raises(OutOfMemory, match="GEN3D_OFFLOAD to always"):
            reconstruction.run(PHOTO, MASK, EngineOptions())
        network.fails = None
        reconstruction.run(PHOTO, MASK, EngineOptions())

    def test_leaves_nothing_of_the_run_behind(
        self, reconstruction: ObjectReconstruction, pipeline: FakePipeline
    ) -> None:
        seen: list[weakref.ref[torch.Tensor]] = []

        def fail(output: dict[str, Any]) -> None:
            seen.append(weakref.ref(output["translation"]))
            raise torch.OutOfMemoryError("CUDA out of memory")

        pipeline.change = fail
        gc.disable()  # what is left must be gone because it was let go
        try:
            with pytest.raises(OutOfMemory) as raised:
                reconstruction.run(PHOTO, MASK, EngineOptions())
        finally:
            gc.enable()
        assert seen[0]() is None
        assert raised.value.__context__ is None

    def test_advises_what_is_left_to_do(
        self, pipeline: FakePipeline, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("GEN3D_OFFLOAD", "always")
        reconstruction = ObjectReconstruction(Path(), "cpu", load=lambda *_: pipeline)
        pipeline.models["slat_decoder_gs"].fails = torch.OutOfMemoryError("CUDA out of memory")
        with pytest.raises(OutOfMemory, match="instance with more") as raised:
            reconstruction.run(PHOTO, MASK, EngineOptions())
        assert "GEN3D_OFFLOAD" not in raised.value.message

    def test_other_errors_are_not_taken_for_it(
        self, reconstruction: ObjectReconstruction, pipeline: FakePipeline
    ) -> None:
        pipeline.models["slat_decoder_gs"].fails = RuntimeError("expected Float but found Half")
        with pytest.raises(RuntimeError, match="Half"):
            reconstruction.run(PHOTO, MASK, EngineOptions())


class TestOffloadSetting:
    @pytest.mark.parametrize(
        ("setting", "gigabytes", "wanted"),
        [
            ("auto", 24, True),
            ("auto", 39, True),
            ("auto", 48, False),
            ("auto", None, False),
            ("always", 141, True),
            ("never", 16, False),
        ],
    )
    def test_decides(self, setting: str, gigabytes: int | None, wanted: bool) -> None:
        memory = None if gigabytes is None else gigabytes * 10**9
        assert offload_wanted(setting, memory) is wanted

    def test_misspelt_is_refused_at_start(
        self, pipeline: FakePipeline, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("GEN3D_OFFLOAD", "yes")
        with pytest.raises(WeightsInvalid, match="auto, always or never"):
            ObjectReconstruction(Path(), "cpu", load=lambda *_: pipeline)

    @pytest.mark.parametrize(("total", "parked"), [(24 * 10**9, True), (80 * 10**9, False)])
    def test_loads_for_the_gpu_at_hand(
        self, monkeypatch: pytest.MonkeyPatch, total: int, parked: bool
    ) -> None:
        with_gpu(monkeypatch, total)
        asked: list[object] = []

        def load(*how: object) -> FakePipeline:
            asked.extend(how)
            return FakePipeline()

        ObjectReconstruction(Path("weights"), load=load)
        assert asked == [Path("weights"), torch.device("cuda"), parked]


def with_gpu(monkeypatch: pytest.MonkeyPatch, total: int) -> None:
    """Make the CPU look like a machine with a GPU of that many bytes."""
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)
    monkeypatch.setattr(
        torch.cuda, "get_device_properties", lambda _: SimpleNamespace(total_memory=total)
    )
