"""What a restart finds again of an endpoint: requests without an answer, and answers just told."""

import json
import time
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from local_aws.endpoint.notifications import Message, Request

TELLING_SECONDS = 60
"""So long an answer that was told may be on its way to the function that waits for it."""


class Accepted:
    """One file a request.

    A topic of SNS keeps a message until it has arrived. Here what is on its way ends with the
    process, so an answer is kept a while, and told again after a restart: a second one is harmless.

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

    def answered(self, request: Request, topic: str | None, message: Message) -> None:
        """Let go of a request whose answer was told."""
        path = self._path(request)
        half = path.with_suffix(".half")
        half.write_text(json.dumps({"topic": topic, "message": message}))
        half.replace(path.with_suffix(".told"))
        path.unlink(missing_ok=True)
        for told in self._folder.glob("*.told"):
            if time.time() - told.stat().st_mtime > TELLING_SECONDS:
                told.unlink(missing_ok=True)

    def told(self) -> list[tuple[str | None, Message]]:
        """Topic and message of each answer that was told last."""
        contents = [json.loads(path.read_text()) for path in self._folder.glob("*.told")]
        return [(content["topic"], content["message"]) for content in contents]

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
