"""``python -m bench.load.authorizer``: what the authorizer adds to a call, by a token and by a key.

A call is `GET /limits`, which reads nothing, by one person of a stack that computes nothing else.
The same route with its authorizer taken off is what the others are held against: the API's function
runs as it does for them, and answers 401. Kinds of calls take turns, ten at a time, so that
whatever else the machine does falls on all alike. "Kept" is as it is deployed: API Gateway keeps
the authorizer's answer for a minute, so that most calls do not meet it; "asked each time" is the
first call of such a minute.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from gen3d_client.client import Client, signed_in
from gen3d_client.cognito import Token
from gen3d_local.cli import PASSWORD, USER
from tests.local.running import ROOT, RunningStack

_ROUTE = "GET /limits"
_TURN = 10
"""Calls of a kind before the next kind's turn; as many before the first that counts."""


class Kind(NamedTuple):
    """A kind of call: what it sends, whether it is looked at, and for how long that is kept."""

    name: str
    credential: str
    authorized: bool = True
    kept_seconds: int = 0


def main() -> int:
    """Print a table; 1 where a key adds more than it may."""
    parser = argparse.ArgumentParser(prog="python -m bench.load.authorizer", description=__doc__)
    parser.add_argument("--calls", type=int, default=200, help="of each kind (%(default)s)")
    parser.add_argument("--most", type=float, default=10, help="ms a key may add (%(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        stack = RunningStack(Path(folder), ROOT / "template.yaml")
        try:
            times = _measured(stack.start(), options.calls)
        finally:
            stack.stop()
    medians = {kind.name: statistics.median(each) for kind, each in times.items()}
    bare = next(iter(medians.values()))
    print(f"| `{_ROUTE}`, ms | p50 | p95 | added at the median |\n|---|---|---|---|")
    for kind, each in times.items():
        p95 = statistics.quantiles(each, n=20)[-1]
        p50 = medians[kind.name]
        added = f"{p50 - bare:+.1f}" if kind.authorized else ""
        print(f"| {kind.name} | {p50:.1f} | {p95:.1f} | {added} |")
    return int(medians["by a key, kept"] - bare > options.most)


def _measured(stack: RunningStack, calls: int) -> dict[Kind, list[float]]:
    """Milliseconds of each call."""
    found, tokens = signed_in(stack.url, USER, PASSWORD)
    with Client(found.api_url, Token(tokens.id_token)) as gen3d:
        key = gen3d.make_key("bench").key
    kinds = [
        Kind("without an authorizer, so that the function says 401", "none", authorized=False),
        Kind("by a token, kept", tokens.id_token, kept_seconds=60),
        Kind("by a key, kept", key, kept_seconds=60),
        Kind("by a token, asked each time", tokens.id_token),
        Kind("by a key, asked each time", key),
    ]
    route = _Route(stack)
    times: dict[Kind, list[float]] = {kind: [] for kind in kinds}
    with httpx.Client(base_url=f"{stack.url}/api", timeout=60) as http:
        for turn in range(1 + calls // _TURN):
            for kind in kinds:
                route.becomes(kind)
                took = [_call(http, kind) for _ in range(_TURN + 1)]
                if turn:
                    times[kind] += took[1:]  # the first one fills what is kept
    return times


def _call(http: httpx.Client, kind: Kind) -> float:
    begun = time.perf_counter()
    answer = http.get("/limits", headers={"Authorization": f"Bearer {kind.credential}"})
    took = (time.perf_counter() - begun) * 1000
    if answer.status_code != (200 if kind.authorized else 401):
        raise SystemExit(f"{kind.name}: {answer.status_code} {answer.text}")
    return took


class _Route:
    """The route and its authorizer, as they are deployed, to be changed for a while."""

    def __init__(self, stack: RunningStack) -> None:
        self._gateway: Any = stack.client("apigatewayv2")
        (self._api,) = [each["ApiId"] for each in self._gateway.get_apis()["Items"]]
        routes = self._gateway.get_routes(ApiId=self._api)["Items"]
        (route,) = [each for each in routes if each["RouteKey"] == _ROUTE]
        self._route, self._authorizer = route["RouteId"], route["AuthorizerId"]

    def becomes(self, kind: Kind) -> None:
        """Have it look at a call as this kind is looked at."""
        its = {"AuthorizationType": "NONE", "AuthorizerId": ""}
        if kind.authorized:
            its = {"AuthorizationType": "CUSTOM", "AuthorizerId": self._authorizer}
            self._gateway.update_authorizer(
                ApiId=self._api,
                AuthorizerId=self._authorizer,
                AuthorizerResultTtlInSeconds=kind.kept_seconds,
            )
        self._gateway.update_route(ApiId=self._api, RouteId=self._route, **its)


if __name__ == "__main__":
    sys.exit(main())
