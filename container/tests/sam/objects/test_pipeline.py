"""What is read of the weights' configuration, and refused in it."""

import builtins
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from gen3d.errors import WeightsInvalid

pytest.importorskip("hydra", reason="reads the configuration")
OmegaConf = pytest.importorskip("omegaconf", reason="reads the configuration").OmegaConf

from gen3d_inference.engines.sam.objects import pipeline  # noqa: E402

NETWORKS = ("ss_generator", "slat_generator", "ss_decoder", "slat_decoder_gs")
OTHERS = ("slat_decoder_gs_4", "slat_decoder_mesh", "ss_encoder")
LINEAR = {"_target_": "torch.nn.Linear", "in_features": 1, "out_features": 1}


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A folder with all that is needed, and nothing of what is not."""
    config: dict[str, Any] = {"_target_": "torch.nn.Module", "compile_model": True}
    for name in (*NETWORKS, *OTHERS):
        config[f"{name}_config_path"] = f"{name}.yaml"
        config[f"{name}_ckpt_path"] = f"{name}.ckpt"
    config["layout_post_optimization_method"] = {"_target_": "nowhere.at.all"}
    config["depth_model"] = {"model": {"pretrained_model_name_or_path": "Ruicheng/moge-vitl"}}
    checkpoints = tmp_path / pipeline.CHECKPOINTS
    checkpoints.mkdir(parents=True)
    OmegaConf.save(OmegaConf.create(config), checkpoints / "pipeline.yaml")
    for name in NETWORKS:
        OmegaConf.save(
            OmegaConf.create({"module": {"backbone": LINEAR}}), checkpoints / f"{name}.yaml"
        )
        (checkpoints / f"{name}.ckpt").touch()
    for file in (pipeline.DEPTH, pipeline.DINO / "hubconf.py"):
        (tmp_path / file).parent.mkdir(parents=True)
        (tmp_path / file).touch()
    return tmp_path


def test_only_gaussian_decoding_is_asked_for_from_the_folder_alone(weights: Path) -> None:
    config = pipeline.configure(weights, "cuda")
    assert config.compile_model is False
    assert config.device == config.depth_model.device == "cuda"
    assert config.workspace_dir == str(weights / pipeline.CHECKPOINTS)
    assert config.depth_model.model.pretrained_model_name_or_path == str(weights / "moge/model.pt")
    for name in ("slat_decoder_gs_4", "ss_encoder"):
        assert config[f"{name}_config_path"] is config[f"{name}_ckpt_path"] is None
    assert "layout_post_optimization_method" not in config


@pytest.mark.parametrize(
    "missing",
    [
        "moge/model.pt",
        "dinov2/hubconf.py",
        "sam-3d-objects/checkpoints/ss_generator.ckpt",
        "sam-3d-objects/checkpoints/slat_decoder_gs.yaml",
    ],
)
def test_what_would_be_downloaded_or_is_missing_is_named(weights: Path, missing: str) -> None:
    (weights / missing).unlink()
    with pytest.raises(WeightsInvalid, match=f"{missing} is missing in .* Fetch the weights again"):
        pipeline.configure(weights, "cuda")


def test_no_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsInvalid, match=r"pipeline\.yaml is missing"):
        pipeline.configure(tmp_path, "cuda")


def test_a_damaged_configuration_is_named(weights: Path) -> None:
    (weights / pipeline.CHECKPOINTS / "pipeline.yaml").write_text("a: [")
    with pytest.raises(WeightsInvalid, match="is no configuration"):
        pipeline.configure(weights, "cuda")


FORBIDDEN = [
    "os.system",
    "builtins.eval",
    "subprocess.Popen",
    "shutil.rmtree",
    "torch.os.system",
    "torch.os.remove",
    "torch.hub.load",
    "torch.builtins.exec",
    "torchmetrics.Metric",
    "moge_evil.run",
]


@pytest.mark.parametrize("target", FORBIDDEN)
@pytest.mark.parametrize("file", ["pipeline.yaml", "ss_generator.yaml"])
def test_code_that_is_not_the_models_is_refused_in_every_file(
    weights: Path, file: str, target: str
) -> None:
    path = weights / pipeline.CHECKPOINTS / file
    config = OmegaConf.load(path)
    config.deep = {"list": [{"_target_": "torch.nn.ReLU"}, [{"_target_": target}]]}
    OmegaConf.save(config, path)
    with pytest.raises(WeightsInvalid, match=f"names {target}, which"):
        pipeline.configure(weights, "cuda")


def test_what_is_not_trusted_is_not_even_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "stranger.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(WeightsInvalid, match="no code of the model"):
        pipeline.check_targets(OmegaConf.create({"_target_": "stranger.run"}))


UPSTREAM_FORBIDS: list[Any] = [builtins.exec, builtins.__import__, os.rename, os.chmod, os.fork]
UPSTREAM_FORBIDS += [os.getcwd, shutil.move, subprocess.Popen]


@pytest.mark.parametrize("function", UPSTREAM_FORBIDS, ids=lambda function: function.__name__)
def test_what_upstream_forbids_is_refused_by_any_name(
    function: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "harmless", function, raising=False)
    with pytest.raises(WeightsInvalid, match="no code of the model"):
        pipeline.check_targets(OmegaConf.create({"_target_": "torch.harmless"}))


def test_the_models_code_is_allowed() -> None:
    names = ["torch.nn.Linear", "torch.nn.functional.relu", "torchvision.transforms.Compose"]
    pipeline.check_targets(OmegaConf.create({"all": [{"_target_": name} for name in names]}))


class TestCheckpoint:
    """Upstream reads safetensors files with ``strict=False``."""

    def test_that_leaves_a_part_random_is_refused(self, tmp_path: Path) -> None:
        path = self._save(tmp_path, {"weight": torch.zeros(1, 1)})
        with pytest.raises(WeightsInvalid, match="lacks 1 tensors of its network, such as bias"):
            pipeline.check_filled(nn.Linear(1, 1), path)

    def test_that_fills_its_network_is_taken(self, tmp_path: Path) -> None:
        state = {f"part.{name}": value for name, value in nn.Linear(1, 1).state_dict().items()}
        path = self._save(tmp_path, state)
        pipeline.check_filled(
            nn.Linear(1, 1), path, lambda names: {name[5:]: None for name in names}
        )
        with pytest.raises(WeightsInvalid, match="lacks 2"):
            pipeline.check_filled(nn.Linear(1, 1), path)

    def _save(self, folder: Path, state: dict[str, torch.Tensor]) -> Path:
        from safetensors.torch import save_file

        save_file(state, folder / "network.safetensors")
        return folder / "network.safetensors"
