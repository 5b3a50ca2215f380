"""What goes into the inference images: pinned, fitting together, and free to be used."""

import re

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from gen3d_inference.engines.open import upstream
from tests.infra.template import ROOT, source

DOCKERFILE = (ROOT / "container" / "Dockerfile").read_text()
STAGES = re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)
NOT_FREE = {
    "bpy": "GPL",
    "diff-gaussian-rasterization": "not for commerce",
    "igraph": "GPL",
    "nvdiffrast": "not for commerce",
    "plyfile": "GPL",
    "pymeshfix": "GPL",
}
FOR_TRAINING = {"auto-gptq", "bitsandbytes", "gradio", "lightning", "wandb"}


def requirements(name: str) -> list[Requirement]:
    lines = (ROOT / "container" / name).read_text().splitlines()
    words = [line.split(" #")[0].strip() for line in lines]
    return [Requirement(word) for word in words if word and not word.startswith(("#", "-"))]


def locked(name: str) -> dict[str, str]:
    pins = {str(canonicalize_name(r.name)): str(r.specifier) for r in requirements(name)}
    assert all(specifier.startswith("==") for specifier in pins.values())
    return pins


@pytest.mark.parametrize("part", ["requirements", "requirements-open", "requirements-sam"])
def test_the_lock_holds_what_was_asked_for(part: str) -> None:
    pins = locked(f"{part}.txt")
    for wanted in requirements(f"{part}.in"):
        pin = pins[canonicalize_name(wanted.name)].removeprefix("==")
        assert wanted.specifier.contains(pin), wanted


@pytest.mark.parametrize("engine", ["open", "sam"])
def test_the_engines_share_what_they_all_need(engine: str) -> None:
    lite, other = locked("requirements.txt"), locked(f"requirements-{engine}.txt")
    assert {r.name for r in requirements("requirements.in")} <= set(other)
    assert lite["pydantic"] == other["pydantic"]
    assert lite["pillow"] == other["pillow"]


def test_the_open_image_stands_on_the_sam_image_s_stack() -> None:
    ours, sam = locked("requirements-open.txt"), locked("requirements-sam.txt")
    assert ours.items() <= sam.items()
    assert "torch" in ours
    assert not {name for name in ours if "spconv" in name or "cumm" in name}


def test_triposplat_s_code_is_what_was_reviewed() -> None:
    """Two files and their licence, by commit and digest; the engine holds them against the same."""
    (stage,) = [stage for stage in STAGES if stage.startswith("${OPEN_BASE} AS open-base")]
    assert upstream.COMMIT in stage
    for name, digest in upstream.DIGESTS.items():
        assert f"{digest}  {name}.py" in stage
    assert re.search(r"[0-9a-f]{64}  LICENSE", stage)
    assert "sha256sum --check" in stage
    assert upstream.FOLDER in stage


def test_nothing_is_in_it_that_may_not_be_used_or_is_not() -> None:
    held = set(locked("requirements-sam.txt")) | set(re.findall(r'"(\w+) @ git', DOCKERFILE))
    held |= set(locked("requirements-open.txt"))
    assert "sam3d_objects" in held
    assert not held & (set(NOT_FREE) | FOR_TRAINING)


@pytest.mark.parametrize("engine", ["open", "sam"])
def test_networks_can_be_compiled(engine: str) -> None:
    assert "setuptools" in locked(f"requirements-{engine}.txt"), "Triton imports it"
    name = engine.upper()
    (base,) = [stage for stage in STAGES if stage.startswith(f"${{{name}_BASE}} AS {engine}-base")]
    assert " g++ " in base


def test_what_comes_from_git_is_a_commit() -> None:
    sources = re.findall(r"git\+https://\S+?@(\S+?)\"", DOCKERFILE)
    assert len(sources) == 3
    (pytorch3d,) = re.findall(r"fetch -q --depth 1 \S+ \\\s+(\S+)", DOCKERFILE)
    assert all(re.fullmatch(r"[0-9a-f]{40}", commit) for commit in [*sources, pytorch3d])


def test_the_sam_stack_is_one_cuda_that_the_host_has_a_driver_for() -> None:
    """Driver 580, CUDA 13.0: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariant.html"""
    pins = locked("requirements-sam.txt")
    assert pins["cuda-toolkit"].startswith("==13.0.")
    assert "al2023-ami-sagemaker-inference-gpu-4-1" in str(source()["Resources"]["EndpointConfig"])
    # What is compiled for CUDA 12 has to bring it: torch's is another.
    assert {name for name in pins if name.endswith("cu12")} == set()
    assert {"spconv-cu126", "cumm-cu126"} <= set(pins)


def test_the_sam_stack_is_what_the_benchmark_ran_with() -> None:
    said = (ROOT / "bench" / "gpu" / "RESULTS.md").read_text()
    assert f"torch {locked('requirements-sam.txt')['torch'].removeprefix('==')}," in said


def test_the_sam_image_is_for_the_python_that_its_packages_were_resolved_for() -> None:
    assert re.search(r"^ARG SAM_BASE=\S+/python:3\.12-", DOCKERFILE, re.MULTILINE)
    assert "/opt/venv/lib/python3.12/site-packages/" in DOCKERFILE
    makefile = (ROOT / "Makefile").read_text()
    assert "--python-version 3.12 --python-platform x86_64-manylinux_2_28" in makefile


@pytest.mark.parametrize("engine", ["open", "sam"])
def test_the_host_lays_its_driver_into_a_gpu_s_image(engine: str) -> None:
    name = engine.upper()
    (base,) = [stage for stage in STAGES if stage.startswith(f"${{{name}_BASE}} AS {engine}-base")]
    assert "ENV NVIDIA_VISIBLE_DEVICES=all" in base
    assert "ENV NVIDIA_DRIVER_CAPABILITIES=compute,utility" in base


def test_the_image_runs_as_sagemaker_starts_it() -> None:
    last = STAGES[-1].splitlines()
    assert last[0] == "${ENGINE}-base"
    assert not [line for line in last if line.startswith("USER")], "SageMaker expects root"
    assert 'ENTRYPOINT ["python", "-m", "gen3d_inference"]' in last
    assert "ENV GEN3D_ENGINE=${ENGINE}" in last


def test_no_image_is_the_latest() -> None:
    named = re.findall(r"^(?:ARG \w+_BASE=|COPY --from=)(\S+:\S+)", DOCKERFILE, re.MULTILINE)
    assert len(named) == 3
    assert all(re.search(r":\d", image) for image in named)
