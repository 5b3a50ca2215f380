"""The command ``gen3d``.

exit codes:
  0    done
  1    refused: a photo, a click, an option, a file, a job that is not there or not yours
  2    the command is not written so
  3    nobody is signed in, or no longer, or password or key are not taken
  4    the service does not answer, or the address is none of Gen3D's
  5    the job failed, was cancelled, or expired
  6    the service is newer than this client
  7    --wait has passed; the job goes on, and `gen3d watch JOB` sees it through
  130  interrupted; the job stays, and `gen3d watch JOB` goes on with it
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from gen3d_client import commands
from gen3d_client.errors import ApiClientError, own_version
from gen3d_client.follow import WAIT_SECONDS
from gen3d_client.terminal import plain

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; what went wrong is a sentence and an exit code."""
    options = _parser().parse_args(_joined(sys.argv[1:] if arguments is None else arguments))
    try:
        options.command(options)
    except ApiClientError as error:
        _say(error, options.json)
        return error.code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # who reads has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _say(error: ApiClientError, as_json: bool) -> None:
    if as_json:
        name = getattr(error, "name", "") or type(error).__name__
        said = {"error": name, "message": str(error), "exitCode": error.code}
        print(json.dumps(said, ensure_ascii=False), file=sys.stderr)
    else:
        print(f"gen3d: {plain(str(error))}", file=sys.stderr)


def _joined(words: Sequence[str]) -> list[str]:
    """A click off the object begins with a minus, as options do: it is tied to its own."""
    joined: list[str] = []
    for word in words:
        if joined and joined[-1] == "--click":
            joined[-1] = f"--click={word}"
        else:
            joined.append(word)
    return joined


class _Part(argparse.Action):
    """Keeps in which order objects and what belongs to them were said."""

    def __call__(
        self,
        _parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[object] | None,
        option: str | None = None,
    ) -> None:
        namespace.parts = [*(namespace.parts or []), (option, values)]


def _common(address: str, as_json: bool | str) -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--at",
        default=address,
        metavar="ADDRESS",
        help="of the Gen3D (GEN3D_ADDRESS, else where you signed in last)",
    )
    common.add_argument(
        "--json", action="store_true", default=as_json, help="print JSON; errors too, on stderr"
    )
    return common


def _parser() -> argparse.ArgumentParser:
    common = _common(os.environ.get("GEN3D_ADDRESS", ""), False)
    # Of a command within a command: what is not said again stays as it was said before it.
    again = _common(argparse.SUPPRESS, argparse.SUPPRESS)
    waiting = argparse.ArgumentParser(add_help=False)
    waiting.add_argument("--quiet", action="store_true", help="say nothing while it waits")
    waiting.add_argument(
        "--wait", type=float, default=WAIT_SECONDS, metavar="SECONDS", help="(%(default).0f)"
    )
    out = argparse.ArgumentParser(add_help=False)
    out.add_argument(
        "--out",
        type=Path,
        metavar="FILE|FOLDER",
        help="a file, whose ending says the format, or a folder for all files",
    )

    parser = argparse.ArgumentParser(
        prog="gen3d",
        description="An object in a photo becomes a 3D mesh.",
        epilog=(__doc__ or "").partition("\n\n")[2],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"gen3d {own_version() or '?'}")
    each = parser.add_subparsers(required=True, metavar="command")

    login = each.add_parser("login", parents=[common], help="sign in, or take a key")
    login.add_argument("address", nargs="?", default="", help="of the page")
    login.add_argument("--email", default=os.environ.get("GEN3D_EMAIL", ""))
    login.add_argument("--password-stdin", action="store_true", help="read it from there")
    login.add_argument(
        "--key", action="store_true", help="by a key, from GEN3D_KEY, or asked for, or piped in"
    )
    login.add_argument("--config", type=Path, help="config.json, where a stack hosts no page")
    login.set_defaults(command=commands.login)

    logout = each.add_parser("logout", parents=[common], help="end the sign-in")
    logout.set_defaults(command=commands.logout)

    mesh = each.add_parser("mesh", parents=[common, waiting, out], help="a mesh from a photo")
    mesh.add_argument("photo", type=Path, nargs="?")
    mesh.add_argument("--url", help="in its place, for everybody to read, over https")
    mesh.add_argument(
        "--depth", type=Path, metavar="FILE", help="its depth map: a grey PNG of 16 bits, in mm"
    )
    for name, metavar, words in (
        ("--click", "X,Y", 'on the object, "-X,Y" off it, in pixels or 45%%,30%%; repeatable'),
        ("--box", "L,T,R,B", "around the object; with clicks, or alone"),
        ("--text", "WORDS", "what it is called; with the sam engine only"),
        ("--certainty", "0…1", "how sure the model has to be of what the words name"),
        ("--polygon", '"X,Y X,Y …"', "its outline"),
        ("--mask", "FILE", "a PNG, white on the object, or COCO's RLE as JSON"),
        ("--option", "PART.NAME=VALUE", "such as mesh.quality=fine; repeatable"),
        ("--object", "NAME", "one more object, to which what follows belongs"),
    ):
        mesh.add_argument(name, action=_Part, dest="parts", metavar=metavar, help=words)
    mesh.add_argument("--auto", action="store_true", help="what stands out; so without the others")
    mesh.set_defaults(command=commands.mesh)

    batch = each.add_parser(
        "batch", parents=[common, waiting], help="meshes of many photos that lie at addresses"
    )
    batch.add_argument("urls", nargs="*", metavar="URL", help="of photos whose subject is meant")
    batch.add_argument(
        "--manifest", type=Path, help='[{"url": "https://…", "click": "45%%,30%%"}, …], as JSON'
    )
    batch.add_argument("--go-on", metavar="BATCH", help="see one through that was begun")
    batch.add_argument(
        "--out", type=Path, default=Path("meshes"), metavar="FOLDER", help="(%(default)s)"
    )
    batch.set_defaults(command=commands.batch)

    jobs = each.add_parser("jobs", parents=[common], help="list your jobs, newest first")
    jobs.add_argument("--most", type=int, default=20, metavar="N", help="(%(default)s)")
    jobs.set_defaults(command=commands.jobs)

    watch = each.add_parser("watch", parents=[common, waiting, out], help="see a job through")
    watch.add_argument("job")
    watch.set_defaults(command=commands.watch)

    retry = each.add_parser("retry", parents=[common, waiting, out], help="take a job up again")
    retry.add_argument("job")
    retry.add_argument(
        "--object", type=int, action="append", default=[], metavar="N", dest="anew",
        help="make this one anew, counted from 0; without any, what failed; repeatable",
    )  # fmt: skip
    retry.add_argument("--option", action="append", default=[], metavar="PART.NAME=VALUE",
                       help="for the objects that are made anew")  # fmt: skip
    retry.add_argument("--scene", action="store_true", help="set the objects beside each other")
    retry.set_defaults(command=commands.retry)

    fetch = each.add_parser("fetch", parents=[common, out], help="get a job's files")
    fetch.add_argument("job")
    fetch.add_argument("--draft", action="store_true", help="of the draft that stands in")
    fetch.set_defaults(command=commands.fetch)

    keys = each.add_parser("keys", parents=[common], help="list, make and withdraw your keys")
    keys.set_defaults(command=commands.list_keys)
    what = keys.add_subparsers(metavar="make | withdraw")
    make = what.add_parser("make", parents=[again], help="make one; it is printed this once")
    make.add_argument("name", help="what it is for")
    make.add_argument("--right", action="append", default=[], choices=("read", "create"),
                      help="what it may; repeatable; without any, both")  # fmt: skip
    make.add_argument("--jobs-per-day", type=int, default=0, metavar="N", help="(your own limit)")
    make.set_defaults(command=commands.make_key)
    withdraw = what.add_parser("withdraw", parents=[again], help="have one open nothing")
    withdraw.add_argument("key", metavar="KEY", help="its id, as the list says it")
    withdraw.set_defaults(command=commands.withdraw_key)

    webhooks = each.add_parser(
        "webhooks",
        parents=[common],
        help="have addresses told of your jobs, and see what came of it",
    )
    webhooks.set_defaults(command=commands.list_webhooks)
    what = webhooks.add_subparsers(metavar="add | withdraw | deliveries | redeliver")
    add = what.add_parser("add", parents=[again], help="its secret is printed this once")
    add.add_argument("url", metavar="URL", help="over https, for everybody to reach")
    add.add_argument("--event", action="append", default=[], metavar="job.completed",
                     help="what it is told of; repeatable; without any, everything")  # fmt: skip
    add.set_defaults(command=commands.add_webhook)
    withdraw = what.add_parser("withdraw", parents=[again], help="have one told nothing more")
    withdraw.set_defaults(command=commands.withdraw_webhook)
    deliveries = what.add_parser(
        "deliveries", parents=[again], help="what one was told within a week, and its answers"
    )
    deliveries.add_argument("--most", type=int, default=20, metavar="N", help="(%(default)s)")
    deliveries.set_defaults(command=commands.list_deliveries)
    redeliver = what.add_parser("redeliver", parents=[again], help="have something sent again")
    redeliver.set_defaults(command=commands.redeliver)
    for of_one in (withdraw, deliveries, redeliver):
        of_one.add_argument("webhook", metavar="WEBHOOK", help="its id, as the list says it")
    redeliver.add_argument("delivery", metavar="DELIVERY", help="its id, as that list says it")

    mcp = each.add_parser("mcp", parents=[common], help="serve agents by MCP, over stdio")
    mcp.add_argument("--folder", type=Path, default=Path(), help="whose files they may touch (.)")
    mcp.set_defaults(command=commands.mcp)
    return parser


if __name__ == "__main__":
    sys.exit(main())
