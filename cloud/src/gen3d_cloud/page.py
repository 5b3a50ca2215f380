"""Serves the built page of a stack here: ``python -m gen3d_cloud.page --stack gen3d``.

For a stack with WebHosting=none. What CloudFront would add is read from the template: the headers
that isolate the page, and what it may load. The API is asked where it is, by CORS.
"""

import argparse
import json
import mimetypes
import socket
import sys
from functools import cache, partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any  # noqa: TID251  a part of the template as it is written
from urllib.parse import unquote, urlsplit

import yaml
from botocore.exceptions import BotoCoreError, ClientError

from gen3d_cloud.deployed import CloudError, outputs, parameters
from gen3d_cloud.publish import DIST, PageConfig, configuration

ROOT = Path(__file__).resolve().parents[3]
PORT = 5173


def headers(config: PageConfig, policy_of: str = "ResponseHeaders") -> dict[str, str]:
    """The headers of each answer, as a policy of the template has it; HSTS is for TLS alone.

    Parameters
    ----------
    config : dict
        Of the page; its policy lets it reach the API, and every service where the stack runs here.
    policy_of : str
        The policy's name in the template: ``EmbedHeaders`` for the page that others may frame.
    """
    policy = _policy(policy_of)
    found = {item["Header"]: item["Value"] for item in policy["CustomHeadersConfig"]["Items"]}
    security = policy["SecurityHeadersConfig"]
    found["X-Content-Type-Options"] = "nosniff"
    if "FrameOptions" in security:
        found["X-Frame-Options"] = security["FrameOptions"]["FrameOption"]
    found["Referrer-Policy"] = security["ReferrerPolicy"]["ReferrerPolicy"]
    text, _ = security["ContentSecurityPolicy"]["ContentSecurityPolicy"]
    region, here = config["region"], config.get("endpoint", "")
    files = here or f"https://{config['bucket']}.s3.{region}.amazonaws.com"
    text = text.replace("https://${Files}", files).replace("${AWS::Region}", region)
    reached = " ".join(dict.fromkeys([_origin(config["apiUrl"]), *([here] if here else [])]))
    text = text.replace("connect-src 'self'", f"connect-src 'self' {reached}")
    found["Content-Security-Policy"] = text
    return found


def serve(dist: Path, config: PageConfig, port: int = PORT) -> ThreadingHTTPServer:
    """Make a server of a page, on this machine alone; whoever asks for it starts it.

    Parameters
    ----------
    dist : pathlib.Path
        What ``npm run build`` made.
    config : dict
        See `gen3d_cloud.publish.configuration`.
    port : int
        0 for a free one.

    Raises
    ------
    OSError
        The port is busy.
    """
    return ThreadingHTTPServer(("127.0.0.1", port), partial(_Page, dist, config))


class _Page(BaseHTTPRequestHandler):
    """Answers with a file, and with the page where there is none: paths are the app's."""

    protocol_version = "HTTP/1.1"

    def __init__(
        self,
        dist: Path,
        config: PageConfig,
        request: socket.socket,
        address: tuple[str, int],
        server: ThreadingHTTPServer,
    ) -> None:
        self._dist, self._config = dist.resolve(), config
        super().__init__(request, address, server)

    def do_GET(self) -> None:
        """Answer with a body."""
        self._answer()

    def do_HEAD(self) -> None:
        """Answer without one."""
        self._answer()

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        name = path.strip("/")
        status, file = HTTPStatus.OK, (self._dist / name).resolve()
        policy = "ResponseHeaders"
        if path.startswith("/embed/"):
            policy, file = "EmbedHeaders", self._dist / "embed.html"
            body = file.read_bytes()
        elif name == "config.json":
            body = json.dumps(self._config).encode()
        else:
            if not (file.is_file() and file.is_relative_to(self._dist)):
                file = self._dist / "index.html"
                status = HTTPStatus.NOT_FOUND if name.startswith("assets/") else status
            body = b"" if status == HTTPStatus.NOT_FOUND else file.read_bytes()
        self.send_response(status)
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        for header, value in headers(self._config, policy).items():
            self.send_header(header, value)
        self.send_header("Cache-Control", "no-cache")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing of each request."""


class _Values(yaml.SafeLoader):
    """Reads a template; of each function what it is given."""


def _given(loader: yaml.SafeLoader, _tag: str, node: yaml.Node) -> object:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.MappingNode)
    return loader.construct_mapping(node, deep=True)


_Values.add_multi_constructor("!", _given)


@cache
def _policy(name: str) -> Any:
    """A policy of headers, as it is written in the template."""
    template = yaml.load((ROOT / "template.yaml").read_text(), Loader=_Values)  # noqa: S506  a SafeLoader
    properties = template["Resources"][name]["Properties"]
    return properties["ResponseHeadersPolicyConfig"]


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _let_in(stack: str, origin: str) -> None:
    """Look whether API and bucket answer a page from here.

    Raises
    ------
    CloudError
        They do not.
    """
    origins = [each for each in parameters(stack).get("WebOrigins", "").split(",") if each]
    if origin in origins:
        return
    wanted = ",".join([*origins, origin])
    raise CloudError(
        f"The stack {stack} answers no page from {origin}. Let it in: sam deploy --stack-name "
        f"{stack} --parameter-overrides \"WebOrigins='{wanted}'\""
    )


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; serves until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m gen3d_cloud.page", description=__doc__)
    parser.add_argument("--stack", default="gen3d", help="(%(default)s)")
    parser.add_argument("--port", type=int, default=PORT, help="(%(default)s)")
    parser.add_argument("--at", default="", help="where the stack is, if it runs on one machine")
    parser.add_argument(
        "--config", action="store_true", help="print config.json, for a host of yours"
    )
    options = parser.parse_args(arguments)
    here = f"http://localhost:{options.port}"
    try:
        config = configuration(outputs(options.stack))
        if options.at:
            at = options.at.rstrip("/")
            config |= {"apiUrl": f"{at}/api", "endpoint": at}
        if options.config:
            print(json.dumps(config))
            return 0
        if not (DIST / "index.html").exists():
            raise CloudError("There is no build to serve. Run `make web` first.")
        _let_in(options.stack, here)
        server = serve(DIST, config, options.port)
    except (CloudError, BotoCoreError, ClientError) as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"Port {options.port} cannot be had: {error}. Set PORT=.", file=sys.stderr)
        return 1
    print(f"The page of {options.stack} is at {here}. Ctrl-C ends it.", flush=True)
    with server:
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
