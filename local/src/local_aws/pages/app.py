"""Routes the pages."""

import json
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, select_autoescape
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from local_aws import resources
from local_aws.mail import Mail, Mailbox
from local_aws.pages import history
from local_aws.settings import Settings
from local_aws.workflow.records import Record
from local_aws.workflow.stepfunctions_api import Workflow

_HERE = Path(__file__).parent


class Pages:
    """An ASGI application below ``/_gen3d``.

    Parameters
    ----------
    settings : Settings
    workflow : Workflow
        Whose executions are shown.
    mailbox : Mailbox
    """

    def __init__(self, settings: Settings, workflow: Workflow, mailbox: Mailbox) -> None:
        self._settings = settings
        self._workflow = workflow
        self._mailbox = mailbox
        self._templates = Environment(
            loader=FileSystemLoader(_HERE / "templates"), autoescape=select_autoescape()
        )
        self._templates.filters.update(clock=_clock, duration=_duration, pretty=_pretty)
        self._app = Starlette(
            routes=[
                Route("/_gen3d/", self._executions),
                Route("/_gen3d/executions/{name}", self._execution),
                Route("/_gen3d/executions/{name}/history.json", self._history),
                Route("/_gen3d/mail", self._mails),
                Route("/_gen3d/mail.json", self._mails_json),
                Route("/_gen3d/mail/{mail_id}", self._mail),
                Route("/_gen3d/mail/{mail_id}/body", self._mail_body),
                Route("/_gen3d/style.css", self._style),
            ]
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self._app(scope, receive, send)

    def _executions(self, _request: Request) -> Response:
        return self._page("executions.html", executions=self._workflow.all())

    def _execution(self, request: Request) -> Response:
        record = self._record(request)
        return self._page("execution.html", it=record["detail"], rows=history.rows(record))

    def _history(self, request: Request) -> Response:
        record = self._record(request)
        return JSONResponse({"detail": record["detail"], "events": record["events"]})

    def _mails(self, _request: Request) -> Response:
        return self._page("mails.html", mails=self._mailbox.mails())

    def _mails_json(self, _request: Request) -> Response:
        return JSONResponse({"mails": [self._as_json(mail) for mail in self._mailbox.mails()]})

    def _mail(self, request: Request) -> Response:
        return self._page("mail.html", mail=self._found(request))

    def _mail_body(self, request: Request) -> Response:
        # A mail is foreign content: it may show pictures and be clicked, and nothing else.
        policy = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
        policy += "img-src data:; style-src 'unsafe-inline'"
        html = self._as_json(self._found(request))["html"]
        page = html.replace("<head>", '<head><base target="_blank">', 1)
        return HTMLResponse(page, headers={"Content-Security-Policy": policy})

    def _style(self, _request: Request) -> Response:
        return FileResponse(_HERE / "style.css")

    def _page(self, template: str, **values: object) -> Response:
        return HTMLResponse(self._templates.get_template(template).render(**values))

    def _record(self, request: Request) -> Record:
        record = self._workflow.record(request.path_params["name"])
        if record is None:
            raise HTTPException(404, "There is no such execution.")
        return record

    def _found(self, request: Request) -> Mail:
        mail = self._mailbox.mail(request.path_params["mail_id"])
        if mail is None:
            raise HTTPException(404, "There is no such mail.")
        return mail

    def _as_json(self, mail: Mail) -> dict[str, str]:
        """A mail whose links to the deployed page lead to this machine."""
        web = resources.outputs().get("WebUrl", "")
        texts = {"text": mail.text, "html": mail.html}
        if web:
            texts = {k: v.replace(web, self._settings.url) for k, v in texts.items()}
        head = {"id": mail.id, "from": mail.sender, "to": mail.to, "subject": mail.subject}
        return head | {"sent": mail.sent.isoformat()} | texts


def _clock(milliseconds: int | None) -> str:
    if milliseconds is None:
        return ""
    return datetime.fromtimestamp(milliseconds / 1000).astimezone().strftime("%H:%M:%S")


def _duration(milliseconds: int | None) -> str:
    if milliseconds is None:
        return ""
    return f"{milliseconds} ms" if milliseconds < 10_000 else f"{milliseconds / 1000:.1f} s"


def _pretty(text: str | None) -> str:
    try:
        return json.dumps(json.loads(text or ""), indent=2, ensure_ascii=False)
    except ValueError:
        return text or ""
