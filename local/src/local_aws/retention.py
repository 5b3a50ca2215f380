"""Keeps ministack's memory flat: it keeps everything that ever happened, and saves it all again.

What is let go has been read from here by nobody: the logs are in files, the mails in the mailbox,
and metrics are not emulated.
"""

from collections.abc import Callable

from ministack.services import cloudwatch, cloudwatch_logs, eventbridge, lambda_svc, ses_v2

from local_aws.functions import Function, name_of

_EVENTS = 200
_STREAMS = 20
_MAILS = 10


def install() -> None:
    """Bound everything that grows with each request."""
    _bound_log_streams()
    _bound_lists()
    cloudwatch.record_metric = lambda *_metric, **_named: None


def _bound_log_streams() -> None:
    """Ministack makes a stream a call of a function."""
    emit = lambda_svc._emit_lambda_logs

    def emit_and_trim(func: Function, *rest: object, **named: object) -> None:
        emit(func, *rest, **named)
        name = f"/aws/lambda/{name_of(func)}"
        streams = (cloudwatch_logs._log_groups.get(name) or {}).get("streams", {})
        for stream in list(streams)[:-_STREAMS]:
            streams.pop(stream, None)

    lambda_svc._emit_lambda_logs = emit_and_trim


def _bound_lists() -> None:
    """Events and mails that were sent, each with all of its content."""
    bounds = ((eventbridge, "_events_log_list", _EVENTS), (ses_v2, "_sent_emails_list", _MAILS))
    for module, name, most in bounds:
        setattr(module, name, _bounded(getattr(module, name), most))


def _bounded(original: Callable[[], list[object]], most: int) -> Callable[[], list[object]]:
    def last() -> list[object]:
        entries = original()
        del entries[:-most]
        return entries

    return last
