"""The requests that an endpoint has accepted and not answered, which a restart finds again."""

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from local.endpoint.notifications import Request


class Accepted:
    """One file a request.

    Parameters
    ----------
    folder : pathlib.Path
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def keep(self, request: Request) -> None:
        """Write a request down, before it is accepted."""
        path = self._path(request)
        half = path.with_suffix(".half")
        half.write_text(json.dumps(asdict(request) | {"received": request.received.isoformat()}))
        half.replace(path)

    def forget(self, request: Request) -> None:
        """Let go of a request whose answer was told."""
        self._path(request).unlink(missing_ok=True)

    def all(self) -> list[Request]:
        """Every request, in the order of their arrival."""
        contents = [json.loads(path.read_text()) for path in self._folder.glob("*.json")]
        found = [
            Request(**content | {"received": datetime.fromisoformat(content["received"])})
            for content in contents
        ]
        return sorted(found, key=lambda request: request.received)

    def _path(self, request: Request) -> Path:
        return self._folder / f"{request.output_location.rsplit('/', 1)[-1]}.json"
