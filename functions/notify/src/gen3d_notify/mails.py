"""What the mails say: HTML and plain text from one description."""

import unicodedata
from dataclasses import dataclass, field
from html import escape
from urllib.parse import quote

from gen3d.formats import MESH_FORMATS, SCENE_FORMATS, SPLAT_FORMATS
from gen3d.jobs import Failure, Job, JobObject, JsonText, ObjectStatus, plain
from gen3d_aws.store import FileStore
from gen3d_notify.settings import NotifySettings

LINKS_NOTE = "The links work for about an hour; after that, sign in on the page."


@dataclass(frozen=True)
class Mail:
    """A mail to one person; `pictures` are PNGs that the HTML shows by their content id."""

    to: str
    subject: str
    text: str
    html: str
    pictures: dict[str, bytes] = field(default_factory=dict)


@dataclass
class _Letter:
    """Collects paragraphs, links and pictures in both forms."""

    title: str
    text: list[str] = field(default_factory=list)
    html: list[str] = field(default_factory=list)
    pictures: dict[str, bytes] = field(default_factory=dict)

    def paragraph(self, sentence: str) -> None:
        self.text.append(sentence)
        self.html.append(f"<p>{escape(sentence)}</p>")

    def heading(self, words: str) -> None:
        self.text.append(words)
        self.html.append(f'<h2 style="font-size:17px;margin:28px 0 8px">{escape(words)}</h2>')

    def picture(self, cid: str, png: bytes, alt: str) -> None:
        self.pictures[cid] = png
        self.html.append(
            f'<img src="cid:{cid}" alt="{escape(alt)}" width="480"'
            ' style="max-width:100%;height:auto;border-radius:12px;display:block">'
        )

    def links(self, targets: dict[str, str]) -> None:
        self.text.append("\n".join(f"{label}: {url}" for label, url in targets.items()))
        anchors = " · ".join(
            f'<a href="{escape(url)}" style="color:#3b5bdb">{escape(label)}</a>'
            for label, url in targets.items()
        )
        self.html.append(f"<p>{anchors}</p>")

    def facts(self, rows: dict[str, str]) -> None:
        self.text.append("\n".join(f"{name}: {value}" for name, value in rows.items()))
        cells = "".join(
            f'<tr><td style="padding:4px 16px 4px 0;color:#667">{escape(name)}</td>'
            f'<td style="padding:4px 0">{escape(value)}</td></tr>'
            for name, value in rows.items()
        )
        self.html.append(f'<table style="border-collapse:collapse">{cells}</table>')

    def code(self, name: str, value: str) -> None:
        self.text.append(f"{name}:\n{value}")
        self.html.append(
            f'<p style="margin-bottom:4px;color:#667">{escape(name)}</p>'
            '<pre style="background:#f1f3f5;padding:12px;border-radius:8px;white-space:pre-wrap">'
            f"{escape(value)}</pre>"
        )

    def to(self, address: str, subject: str) -> Mail:
        # A header has one line, and a name that looks encoded must not be decoded, or break it.
        subject = plain(_readable(subject)).replace("=?", "= ?")
        html = (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">'
            f"<title>{escape(subject)}</title></head>"
            '<body style="margin:0;background:#fff;color:#1a1b1e;'
            'font:15px/1.55 system-ui,-apple-system,Segoe UI,Roboto,sans-serif">'
            '<div style="max-width:560px;margin:0 auto;padding:32px 20px">'
            '<p style="font-weight:700;color:#3b5bdb;margin:0">Gen3D</p>'
            f'<h1 style="font-size:22px;margin:8px 0 16px">{escape(self.title)}</h1>'
            + "".join(self.html)
            + "</div></body></html>"
        )
        text = "\n\n".join([self.title, *self.text]) + "\n"
        return Mail(address, subject, _readable(text), _readable(html), self.pictures)


def _readable(text: str) -> str:
    """A text without what no mail may hold: control characters and halves of characters."""
    return "".join(
        c if c == "\n" or unicodedata.category(c) not in ("Cc", "Cs") else " " for c in text
    )


def _page(web_url: str, job: Job) -> str:
    return f"{web_url}/jobs/{quote(job.job_id)}"


def _seconds(job: Job) -> str:
    stages = job.stages
    # A run that takes a job up again makes what is missing, and its time is that of this alone.
    whole = "reconstruction" if job.run <= 1 else "last reconstruction"
    parts = {
        "preparing": stages.initialize.milliseconds,
        "your mask": stages.mask.milliseconds,
        whole: stages.reconstruct.milliseconds,
    }
    return ", ".join(f"{name} {ms / 1000:.1f} s" for name, ms in parts.items() if ms is not None)


def prepared(job: Job, web_url: str) -> Mail:
    """The owner's, after a long wait: the next step is theirs."""
    letter = _Letter("Your photo is ready to be clicked")
    letter.paragraph(
        f"The model has looked at {job.filename}. Click the object, and it becomes a 3D model."
    )
    letter.links({"Select the object": _page(web_url, job)})
    return letter.to(job.email, f"{letter.title}: {job.name}")


def completed(job: Job, files: FileStore, web_url: str) -> Mail:
    """The owner's: a picture of each mesh and links to its files."""
    objects = job.ordered_objects
    done = [o for o in objects if o.status is ObjectStatus.COMPLETED]
    letter = _Letter("Your 3D model is ready" if len(done) == 1 else "Your 3D models are ready")
    letter.paragraph(f"From your photo {job.filename}:")
    for o in done:
        _finished(letter, job, o, files)
    if job.scene is not None:
        _together(letter, job, job.scene, files)
    for o in objects:
        if o.error is not None:
            letter.heading(o.name)
            letter.paragraph(f"This object did not become a mesh. {o.error.public().message}")
    letter.links({"See it in the browser": _page(web_url, job)})
    letter.paragraph(LINKS_NOTE)
    return letter.to(job.email, f"{letter.title}: {job.name}")


def _together(letter: _Letter, job: Job, scene: JsonText, files: FileStore) -> None:
    letter.heading("All together")
    if "error" in scene:
        message = Failure(**scene["error"]).public().message
        letter.paragraph(f"The objects could not be set beside each other. {message}")
        return
    picture = files.read(job.files.scene_picture)
    if picture is not None:
        letter.picture("scene", picture, "All objects together")
    there = scene["files"]
    letter.links(
        {
            written.label: files.link(there[ending]["key"], f"{job.name}-scene.{ending}")
            for ending, written in SCENE_FORMATS.items()
            if ending in there
        }
    )


def _finished(letter: _Letter, job: Job, o: JobObject, files: FileStore) -> None:
    keys = job.files.object(o.n, o.folder)
    letter.heading(o.name)
    picture = files.read(keys.preview)
    if picture is not None:
        letter.picture(f"object{o.n}", picture, f"The mesh of {o.name}")
    mesh, splat = o.mesh or {}, o.gaussians
    letter.facts(
        {
            "Faces": f"{mesh.get('faces', 0):,}",
            "Vertices": f"{mesh.get('vertices', 0):,}",
            **({} if splat is None else {"Gaussians": f"{splat.get('gaussians', 0):,}"}),
            **_coverage(mesh.get("coverage"), "the splat" if splat else "the engine's mesh"),
            **_height(mesh.get("height")),
            **_truth(mesh.get("truth")),
            **_seeds(len(job.variants(o.n))),
            **{title: str(value) for title, value in o.options.titled().items()},
        }
    )
    for warning in mesh.get("warnings", []):
        letter.paragraph(warning)
    there = mesh.get("files", {})  # made before a format was added, a mesh lacks it
    links = {
        written.label: files.link(there[ending]["key"], f"{o.name}.{ending}")
        for ending, written in (MESH_FORMATS | SPLAT_FORMATS).items()
        if ending in there
    }
    if splat is not None:
        links["Splat"] = files.link(keys.splat, f"{o.name}-splat.ply")
    if o.engine_mesh is not None:
        links["The engine's mesh"] = files.link(keys.engine_mesh, f"{o.name}-engine.glb")
    letter.links(links)


def _coverage(share: float | None, source: str) -> dict[str, str]:
    """How much of its source the mesh explains; nothing of a mesh that is older than the figure."""
    return {} if share is None else {f"Coverage of {source}": f"{100 * share:.1f} %"}


def _height(metres: float | None) -> dict[str, str]:
    """How high the thing is, where that was said or measured."""
    return {} if metres is None else {"Height": f"{metres:.3g} m"}


def _truth(truth: dict[str, float | None] | None) -> dict[str, str]:
    """How true the mesh is to the photo, as far as that is known."""
    told = {"Outline": "silhouette", "Colours": "colour"}
    return {
        f"{name} as in the photo": f"{100 * share:.0f} %"
        for name, key in told.items()
        if (share := (truth or {}).get(key)) is not None
    }


def _seeds(tried: int) -> dict[str, str]:
    """That the object is one of several."""
    return {"Made by": f"{tried} seeds, of which this one is kept"} if tried else {}


def completed_admin(job: Job, admin: str) -> Mail:
    """The admin's: that a job is done, without its contents."""
    letter = _Letter("A job is done")
    done = sum(o.status is ObjectStatus.COMPLETED for o in job.ordered_objects)
    letter.facts(
        {
            "Job": job.job_id,
            "Owner": job.email,
            "Objects": f"{done} of {len(job.ordered_objects)}",
            "Time": _seconds(job),
        }
    )
    return letter.to(admin, f"Gen3D job done: {job.job_id}")


def failed(job: Job, web_url: str) -> Mail:
    """The owner's: what happened and what to do."""
    letter = _Letter("Your 3D model could not be made")
    message = job.error.public().message if job.error else "The job failed on our side."
    letter.paragraph(f"From your photo {job.filename}: {message}")
    if any(o.draft is not None for o in job.ordered_objects):
        letter.paragraph("A draft of it is there all the same, to be seen and downloaded.")
    letter.paragraph(
        "The administrator has been told. What was made so far is kept: try the job again, and it "
        "goes on from there."
    )
    letter.links({"Open the job": _page(web_url, job)})
    return letter.to(job.email, f"{letter.title}: {job.name}")


def expired(job: Job, web_url: str) -> Mail:
    """The owner's: nobody made a mask in time."""
    letter = _Letter("Your photo waited for its mask")
    letter.paragraph(
        f"Nobody clicked the object in {job.filename} in time, so the job was closed. "
        "Try it again when you like: the photo is ready to be clicked."
    )
    letter.links({"Open the job": _page(web_url, job)})
    return letter.to(job.email, f"{letter.title}: {job.name}")


def failed_admin(job: Job, execution_arn: str, s: NotifySettings) -> Mail:
    """The admin's: what failed, where, and where to look."""
    error = job.error or Failure(name="UnknownError", message="The record does not say why.")
    letter = _Letter(f"A job failed: {error.name}")
    letter.facts(
        {
            "Job": job.job_id,
            "Owner": job.email,
            "State": error.stage,
            "Error": error.name,
            "Message": error.message,
            "Time": _seconds(job),
        }
    )
    if execution_arn:
        letter.links({"Execution in the console": execution_link(execution_arn, s.aws_region)})
    letter.code("Log query (CloudWatch Logs Insights)", log_query(job.job_id))
    letter.code("Log groups", "\n".join(s.log_groups.split(",")))
    return letter.to(s.admin_email, f"Gen3D job failed: {error.name} {job.job_id}")


def execution_link(execution_arn: str, region: str) -> str:
    """Where the Step Functions console shows an execution."""
    return (
        f"https://{region}.console.aws.amazon.com/states/home?region={region}"
        f"#/v2/executions/details/{execution_arn}"
    )


def log_query(job_id: str) -> str:
    """A Logs Insights query for everything that the functions logged of a job."""
    return (
        "fields @timestamp, service, level, message, error, reason\n"
        f'| filter job_id = "{job_id}" or callback_id like "{job_id}"\n'
        "| sort @timestamp asc"
    )
