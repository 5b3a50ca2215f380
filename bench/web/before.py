"""The page as a commit has it, built to stand beside today's: its files and its decoders."""

import os
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image
from playwright.sync_api import BrowserContext, Route

from gen3d_inference import embeddings
from gen3d_inference.engines.lite.lite_engine import LiteEngine
from tests.local.running import ROOT

_TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css"}
_TYPES |= {".html": "text/html", ".wasm": "application/wasm", ".svg": "image/svg+xml"}
_ISOLATED = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True)
class Before:
    """A commit's page."""

    tree: Path

    @classmethod
    def of(cls, commit: str, folder: Path) -> "Before":
        """Build it, with the dependencies that are installed for today's."""
        archive = subprocess.run(
            ["git", "archive", commit], cwd=ROOT, check=True, capture_output=True
        ).stdout
        subprocess.run(["tar", "-x", "-C", folder], input=archive, check=True)
        (folder / "webapp" / "node_modules").symlink_to(ROOT / "webapp" / "node_modules")
        build = ["npx", "--no-install", "vite", "build", "--logLevel", "warn"]
        subprocess.run(build, cwd=folder / "webapp", check=True)
        return cls(folder)

    @property
    def lite(self) -> Path:
        """The lite engine's decoder of then."""
        return self.tree / "container" / "weights" / "lite" / "decoder.onnx"

    def sam_decoder(self) -> Path:
        """The SAM 3-sized decoder as that commit exports it; needs requirements/torch.txt."""
        out = self.tree / "sam-decoder.onnx"
        sources = [str(path) for path in self.tree.glob("*/src")]
        sources += [str(path) for path in self.tree.glob("*/*/src")]
        path = os.pathsep.join([*sources, str(self.tree)])
        python = ROOT / ".venvs" / "torch" / "bin" / "python"
        command = [str(python), "-m", "bench.web.sam_decoder", str(out)]
        environment = {**os.environ, "PYTHONPATH": path}
        subprocess.run(
            command, cwd=self.tree, env=environment, check=True, stdout=sys.stderr.buffer
        )
        return out

    def serve(self, context: BrowserContext, url: str) -> None:
        """Answer a context's requests for the page with this one's files."""
        dist = self.tree / "webapp" / "dist"

        def answer(route: Route) -> None:
            path = route.request.url.removeprefix(url).split("?")[0]
            file = dist / path.lstrip("/")
            if not file.is_file():
                file = dist / "index.html"
            media = _TYPES.get(file.suffix, "application/octet-stream")
            route.fulfill(body=file.read_bytes(), content_type=media, headers=_ISOLATED)

        for where in ("/assets/**", "/jobs/*"):
            context.route(url + where, answer)

    def lite_embeddings(self, photo: Path) -> bytes:
        """A photo's embeddings as halves, which every page has read."""
        engine = LiteEngine(ROOT / "container" / "weights" / "lite")
        encoded = engine.initialize(Image.open(photo).convert("RGB"))
        meta = encoded.meta.model_copy(update={"precision": "fp16", "contract": "1"})
        return embeddings.uncompressed(embeddings.pack(replace(encoded, meta=meta)), 10**9)
