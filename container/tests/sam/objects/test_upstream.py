"""Our use of SAM 3D Objects against its real code, with tiny networks of random weights.

Skipped where there is no checkout of it: see conftest.py.
"""

import inspect
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from container.tests.sam.objects.fake_pipeline import PHASES, FakePipeline
from gen3d.errors import ReconstructionFailed, WeightsInvalid
from gen3d.options import EngineOptions
from gen3d_inference import ply_writer
from gen3d_inference.engines.interface import Gaussians
from gen3d_inference.engines.sam.objects import ObjectReconstruction, unmasked_attention
from gen3d_inference.engines.sam.objects.pipeline import CHECKPOINTS, DINO, Pipeline, load
from gen3d_inference.engines.sam.objects.reconstruction import (
    _OPTIONS,
    SHORTCUT,
    gaussians_of,
    pose_of,
    rgba,
)

pytestmark = [
    pytest.mark.usefixtures("upstream"),
    pytest.mark.filterwarnings("ignore"),  # upstream's: of CUDA's absence, of old syntax
]

PHOTO = Image.fromarray(np.random.default_rng(0).integers(0, 255, (90, 120, 3), dtype=np.uint8))
MASK = np.zeros((90, 120), bool)
MASK[20:70, 30:90] = True
CPU = torch.device("cpu")


def _upstream(module: str) -> Any:
    return import_module(f"sam3d_objects.{module}")


def _pipeline_class() -> Any:
    return _upstream("pipeline.inference_pipeline_pointmap").InferencePipelinePointMap


@pytest.fixture(scope="module")
def pipeline(weights: Path) -> Pipeline:
    return load(weights, CPU, parked=False)


@pytest.fixture(scope="module")
def reconstruction(pipeline: Pipeline) -> ObjectReconstruction:
    return ObjectReconstruction(Path(), "cpu", load=lambda *_: pipeline)


class TestLoading:
    def test_fake_pipeline_has_the_real_signature(self) -> None:
        real = inspect.signature(_pipeline_class().run)
        fake = inspect.signature(FakePipeline.run)
        assert list(real.parameters) == list(fake.parameters)
        real.bind(None, "image", None, 0, **_OPTIONS)

    def test_gaussians_decoder_alone_is_loaded(self, pipeline: Pipeline) -> None:
        loaded = {name for name, network in pipeline.models.items() if network is not None}
        assert loaded == {"ss_generator", "ss_decoder", "slat_generator", "slat_decoder_gs"}

    def test_weights_are_those_of_the_files(self, pipeline: Pipeline, weights: Path) -> None:
        saved = torch.load(weights / CHECKPOINTS / "slat_generator.ckpt")["state_dict"]
        for part, network in (
            ("generator", pipeline.models["slat_generator"]),
            ("condition_embedder", pipeline.condition_embedders["slat_condition_embedder"]),
        ):
            assert network is not None
            state = network.state_dict()
            assert state
            for name, value in state.items():
                assert torch.equal(value, saved[f"_base_models.{part}.{name}"])

    def test_nothing_is_downloaded(self, weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: object, **__: object) -> None:
            raise AssertionError("the network was asked")

        for module, name in (
            (torch.hub, "urlopen"),
            (torch.hub, "download_url_to_file"),
            (torch.hub, "load_state_dict_from_url"),
            (import_module("moge.model.v1"), "hf_hub_download"),
        ):
            monkeypatch.setattr(module, name, refuse)
        load(weights, CPU, parked=True)

    def test_attention_is_torchs_whatever_the_gpu_is_called(self) -> None:
        # The fixture calls the GPU an H200, for which upstream would set flash_attn.
        assert _upstream("model.backbone.tdfy_dit.modules.attention").BACKEND == "sdpa"
        assert _upstream("model.backbone.tdfy_dit.modules.sparse").ATTN == "sdpa"

    @pytest.mark.parametrize("lengths", [[30], [4, 1, 9, 16]])
    def test_attention_without_a_mask_is_upstreams(self, lengths: list[int]) -> None:
        package = "model.backbone.tdfy_dit.modules.sparse.attention"
        source = Path(_upstream(f"{package}.masked_sdpa").__file__ or "").read_text()
        theirs: dict[str, Any] = {}
        exec(source, theirs)  # the module's own is ours by now
        q, k, v = (torch.randn(1, 30, 2, 8) for _ in range(3))
        expected = theirs["masked_sdpa"](q, k, v, lengths, lengths)
        for name in ("full_attn", "windowed_attn", "serialized_attn"):
            ours = _upstream(f"{package}.{name}").masked_sdpa
            assert ours is unmasked_attention.attend
        torch.testing.assert_close(unmasked_attention.attend(q, k, v, lengths, lengths), expected)

    @pytest.mark.parametrize("damage", ["cut off", "of another network", "without a tensor"])
    def test_a_checkpoint_that_does_not_fit_is_refused(
        self, weights: Path, tmp_path: Path, damage: str
    ) -> None:
        name = CHECKPOINTS / "slat_decoder_gs.ckpt"
        for file in (*weights.rglob("*.yaml"), *weights.rglob("*.ckpt"), *weights.rglob("*.pt")):
            target = tmp_path / file.relative_to(weights)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(file)
        (tmp_path / DINO).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / DINO).symlink_to(weights / DINO)
        (tmp_path / name).unlink()
        if damage == "cut off":
            whole = (weights / name).read_bytes()
            (tmp_path / name).write_bytes(whole[: len(whole) // 2])
        elif damage == "of another network":
            (tmp_path / name).symlink_to(weights / CHECKPOINTS / "ss_decoder.ckpt")
        else:
            state = torch.load(weights / name)
            del state["out_layer.bias"]
            torch.save(state, tmp_path / name)
        with pytest.raises(WeightsInvalid, match=r"slat_decoder_gs.ckpt does not fit its network"):
            load(tmp_path, CPU, parked=False)


class TestMaskTraps:
    """Upstream's own preprocessing, with what `rgba` gives it and with what it guards against."""

    def _seen(self, pipeline: Any, image: Any) -> torch.Tensor:
        item = _pipeline_class().preprocess_image(pipeline, image, pipeline.slat_preprocessor)
        mask: torch.Tensor = item["rgb_image_mask"]
        return mask

    def test_our_alpha_is_read_as_the_mask(self, pipeline: Pipeline) -> None:
        seen = self._seen(pipeline, rgba(PHOTO, MASK))
        assert set(seen.unique().tolist()) == {0.0, 1.0}
        # Padded to a square of the longer side.
        assert seen.mean().item() == pytest.approx(MASK.sum() / 120**2, rel=0.05)

    def test_an_alpha_of_one_is_read_as_nearly_nothing(self, pipeline: Pipeline) -> None:
        image = np.dstack([np.asarray(PHOTO), MASK.astype(np.uint8)])
        assert self._seen(pipeline, image).max().item() == pytest.approx(1 / 255)

    def test_a_mask_of_one_pixel_would_fail_there(self, pipeline: Pipeline) -> None:
        image = rgba(PHOTO, MASK)
        image[..., 3] = 0
        image[5, 5, 3] = 255
        with pytest.raises(Exception, match="at least 2x2"):
            self._seen(pipeline, image)

    def test_the_thinnest_mask_that_we_take_passes_there(self, pipeline: Pipeline) -> None:
        mask = np.zeros_like(MASK)
        mask[5:8, 5:8] = True
        assert self._seen(pipeline, rgba(PHOTO, mask)).any()

    def test_an_empty_mask_would_fail_there(self, pipeline: Pipeline) -> None:
        image = rgba(PHOTO, MASK)
        image[..., 3] = 0
        with pytest.raises(ZeroDivisionError):
            self._seen(pipeline, image)


class TestPhotos:
    """What the networks are given, prepared where they are, against upstream's preparation."""

    def test_networks_are_given_what_upstream_gives_them(self, pipeline: Any) -> None:
        image = rgba(PHOTO, MASK)
        theirs = _pipeline_class().compute_pointmap(pipeline, image)
        ours = pipeline.compute_pointmap(image)
        torch.testing.assert_close(ours["pointmap"], theirs["pointmap"], equal_nan=True)
        for preprocessor, points in (
            (pipeline.ss_preprocessor, theirs["pointmap"]),
            (pipeline.slat_preprocessor, None),
        ):
            given = _pipeline_class().preprocess_image(pipeline, image, preprocessor, points)
            prepared = pipeline.preprocess_image(image, preprocessor, points)
            assert prepared.keys() == given.keys()
            for name, each in given.items():
                torch.testing.assert_close(prepared[name], each, rtol=0, atol=0, equal_nan=True)

    def test_a_level_is_the_same_number(self, pipeline: Any) -> None:
        levels = np.arange(256, dtype=np.uint8).repeat(4).reshape(16, 16, 4)
        theirs = torch.from_numpy(pipeline.image_to_float(levels)).permute(2, 0, 1)
        assert torch.equal(pipeline._on_device(levels), theirs)

    def test_a_photos_second_object_asks_for_no_depth(
        self, pipeline: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked = []
        infer = pipeline.depth_model.model.infer

        def watched(*arguments: Any, **options: Any) -> Any:
            asked.append(arguments)
            return infer(*arguments, **options)

        monkeypatch.setattr(pipeline.depth_model.model, "infer", watched)
        other = np.roll(MASK, 5, 1)
        brighter = Image.fromarray(np.asarray(PHOTO) // 2)
        for photo, mask, times in (
            (brighter, MASK, 1),
            (brighter, other, 1),
            (PHOTO, MASK, 2),
            (brighter, MASK, 3),
        ):
            pipeline.compute_pointmap(rgba(photo, mask))
            assert len(asked) == times


def _gaussian(count: int = 1000) -> Any:
    module = _upstream("model.backbone.tdfy_dit.representations.gaussian.gaussian_model")
    gaussian = module.Gaussian(
        aabb=[-0.5, -0.5, -0.5, 1.0, 1.0, 1.0],
        mininum_kernel_size=0.0009,
        scaling_bias=0.004,
        opacity_bias=0.1,
        scaling_activation="softplus",
    )
    random = torch.Generator().manual_seed(0)
    for name, shape in (("_xyz", (3,)), ("_features_dc", (1, 3)), ("_scaling", (3,))):
        setattr(gaussian, name, torch.randn(count, *shape, generator=random))
    gaussian._rotation = torch.randn(count, 4, generator=random)
    gaussian._opacity = torch.randn(count, 1, generator=random) * 4
    return gaussian


class TestGaussians:
    def test_file_is_the_one_that_upstream_writes(self, tmp_path: Path) -> None:
        gaussian = _gaussian()
        gaussian.save_ply(tmp_path / "upstream.ply")
        theirs = (tmp_path / "upstream.ply").read_bytes()
        ours = ply_writer.pack(gaussians_of(gaussian))
        assert ours == theirs

    @pytest.mark.parametrize("logit", [30.0, -110.0])
    def test_only_infinite_opacities_differ(self, tmp_path: Path, logit: float) -> None:
        gaussian = _gaussian()
        gaussian._opacity[7] = logit
        gaussian.save_ply(tmp_path / "upstream.ply")
        theirs, ours = (
            np.frombuffer(file[file.index(b"end_header\n") + 11 :], "<f4").reshape(1000, 17)
            for file in (
                (tmp_path / "upstream.ply").read_bytes(),
                ply_writer.pack(gaussians_of(gaussian)),
            )
        )
        assert np.argwhere(theirs != ours).tolist() == [[7, 9]]
        assert np.isinf(theirs[7, 9])
        assert ours[7, 9] == pytest.approx(logit + gaussian.opacity_bias.item())

    def test_nan_is_refused(self) -> None:
        gaussian = _gaussian()
        gaussian._rotation[3, 2] = torch.nan
        with pytest.raises(ReconstructionFailed, match="1 of 1000"):
            gaussians_of(gaussian)


def test_pose_moves_points_as_upstream_does() -> None:
    transforms = import_module("pytorch3d.transforms")
    random = torch.Generator().manual_seed(1)
    points = torch.randn(20, 3, generator=random)
    quaternion = torch.nn.functional.normalize(torch.randn(1, 4, generator=random))
    translation, scale = torch.randn(1, 3, generator=random), torch.full((1, 3), 1.7)
    compose = _upstream("data.dataset.tdfy.transforms_3d").compose_transform
    moved = compose(
        scale=scale, rotation=transforms.quaternion_to_matrix(quaternion), translation=translation
    ).transform_points(points)

    pose = pose_of({"rotation": quaternion, "translation": translation, "scale": scale})
    w, x, y, z = pose.rotation
    rotation = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
    ours = np.array(pose.scale) * (points.numpy() @ rotation.T) + np.array(pose.translation)
    np.testing.assert_allclose(ours, moved.numpy(), atol=1e-5)


class TestWhole:
    """From a photo to gaussians, through every network."""

    @pytest.fixture(scope="class")
    def result(
        self, reconstruction: ObjectReconstruction
    ) -> tuple[Gaussians, list[tuple[str, float]]]:
        told: list[tuple[str, float]] = []
        gaussians, _ = reconstruction.run(
            PHOTO, MASK, EngineOptions(seed=1), lambda *step: told.append(step)
        )
        return gaussians, told

    def test_gives_gaussians_in_the_canonical_cube(
        self, result: tuple[Gaussians, list[tuple[str, float]]]
    ) -> None:
        gaussians, _ = result
        assert len(gaussians) % 32 == 0
        assert len(gaussians) > 0
        assert np.abs(gaussians.xyz).max() <= 0.55
        ply_writer.pack(gaussians)

    def test_tells_of_every_stage_and_step(
        self, result: tuple[Gaussians, list[tuple[str, float]]]
    ) -> None:
        _, told = result
        thirds = [0, 0.333, 0.667, 1]
        assert [(phase, round(done, 3)) for phase, done in told] == [
            (phase, done)
            for phase in PHASES
            for done in (thirds if phase in ("structure", "latents") else [0, 1])
        ]

    def test_fast_takes_its_own_steps(
        self,
        reconstruction: ObjectReconstruction,
        result: tuple[Gaussians, list[tuple[str, float]]],
    ) -> None:
        told: list[tuple[str, float]] = []
        options = EngineOptions(quality="fast", seed=1)
        reconstruction.run(PHOTO, MASK, options, lambda *step: told.append(step))
        assert Counter(phase for phase, _ in told)["structure"] == SHORTCUT + 1
        assert Counter(phase for phase, _ in told)["latents"] == 2
        again, _ = reconstruction.run(PHOTO, MASK, EngineOptions(seed=1))
        np.testing.assert_array_equal(result[0].xyz, again.xyz)  # and leaves the others theirs

    def test_seed_decides(
        self,
        reconstruction: ObjectReconstruction,
        result: tuple[Gaussians, list[tuple[str, float]]],
    ) -> None:
        first, _ = result
        again, _ = reconstruction.run(PHOTO, MASK, EngineOptions(seed=1))
        other, _ = reconstruction.run(PHOTO, MASK, EngineOptions(seed=2))
        np.testing.assert_array_equal(first.xyz, again.xyz)
        assert first.xyz.shape != other.xyz.shape or not np.array_equal(first.xyz, other.xyz)

    def test_a_rehearsal_calls_every_network(self, reconstruction: ObjectReconstruction) -> None:
        reconstruction._phases.restart(lambda *_: None)
        reconstruction._rehearse()
        assert set(reconstruction.timings) == set(PHASES)

    def test_no_shape_is_named(self, weights: Path) -> None:
        reconstruction = ObjectReconstruction(weights, "cpu")
        decoder = reconstruction._pipeline.models["ss_decoder"]
        assert decoder is not None
        decoder.out_layer[-1].bias.data.fill_(-1e6)
        with pytest.raises(ReconstructionFailed, match="No shape was found"):
            reconstruction.run(PHOTO, MASK, EngineOptions(seed=1))
