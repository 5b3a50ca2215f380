"""What the API does with shares: one method a route."""

from dataclasses import dataclass
from html import escape

from gen3d.errors import InvalidRequest, JobNotFound, ShareNotFound
from gen3d.jobs import JobObject, check_job_id, now
from gen3d.shares import LINK_SECONDS, Share, check_count, nothing_there, object_to_share
from gen3d_api import views
from gen3d_api.answers import SharedPage, SharedView, SharePage, ShareView
from gen3d_api.requests import CreateShare
from gen3d_api.settings import ApiSettings
from gen3d_aws.callers import Caller
from gen3d_aws.observability import count
from gen3d_aws.share_store import ShareStore
from gen3d_aws.store import FileStore, JobStore

_SAYS = "A 3D model: turn it, see it in your room, download it."


@dataclass(frozen=True)
class ShareService:
    """The use cases of shares."""

    config: ApiSettings
    jobs: JobStore
    files: FileStore
    shares: ShareStore

    @classmethod
    def from_settings(cls) -> "ShareService":
        """Wire the service as the environment says."""
        s = ApiSettings.read()
        files = FileStore(s.bucket, LINK_SECONDS)
        return cls(s, JobStore(s.jobs_table), files, ShareStore(s.shares_table))

    def create(self, caller: Caller, body: CreateShare) -> ShareView:
        """Share an object."""
        job = self.jobs.get(caller.sub, check_job_id(body.jobId))
        shared = object_to_share(job, body.object)
        if shared is None:
            raise InvalidRequest(f"object: the job has no object {body.object}. Read the job.")
        at = now()
        check_count(len(self.shares.of(caller.sub, at)))
        share = Share.of(job, shared, body.days, at)
        self.shares.create(share)
        count("ShareCreated")
        return _shown(share)

    def list(self, caller: Caller) -> SharePage:
        """The caller's shares, newest first."""
        return SharePage(shares=[_shown(share) for share in self.shares.of(caller.sub, now())])

    def withdraw(self, caller: Caller, share_id: str) -> None:
        """Forget a share: nothing is opened by it from now on."""
        self.shares.withdraw(caller.sub, share_id)
        count("ShareWithdrawn")

    def shared(self, share_id: str) -> SharedView:
        """What a share opens, to whoever has its id."""
        share, found = self._opened(share_id)
        made = {} if found.mesh is None else views.files_of(found.name, found.mesh, self.files)
        return SharedView(name=found.name, ends_at=share.ends_at, files=made)

    def page(self, share_id: str) -> SharedPage:
        """What a chat shows of a share, and a browser goes on from; of none, where it is told."""
        try:
            shared = self.shared(share_id)
        except ShareNotFound:
            return SharedPage(_page(f"{self.config.web_url}/shared/{share_id}", "A model", None))
        picture = shared.files.get("preview")
        address = f"{self.config.web_url}/shared/{share_id}"
        return SharedPage(_page(address, shared.name, picture.url if picture else None))

    def _opened(self, share_id: str) -> tuple[Share, JobObject]:
        share = self.shares.find(share_id, now())
        try:
            job = self.jobs.get(share.owner, share.job_id)
        except JobNotFound:
            raise nothing_there() from None
        found = next((o for o in job.ordered_objects if o.n == share.n), None)
        if found is None:
            raise nothing_there()
        return share, found


def _shown(share: Share) -> ShareView:
    return ShareView(
        share_id=share.share_id,
        job_id=share.job_id,
        object=share.n,
        name=share.name,
        created_at=share.created_at,
        ends_at=share.ends_at,
    )


def _page(address: str, name: str, picture: str | None) -> str:
    """A page that leads on at once; what reads pages for previews stays and reads its head."""
    title, leads = escape(f"{name} · Gen3D"), escape(address)
    told = {
        "og:type": "website",
        "og:site_name": "Gen3D",
        "og:title": name,
        "og:description": _SAYS,
        **({"og:image": picture} if picture else {}),
    }
    tags = "".join(f'<meta property="{key}" content="{escape(told[key])}">\n' for key in told)
    card = "summary_large_image" if picture else "summary"
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{title}</title>\n{tags}"
        f'<meta name="twitter:card" content="{card}">\n'
        '<meta name="robots" content="noindex">\n'
        f'<meta http-equiv="refresh" content="0; url={leads}">\n</head>\n'
        f'<body><p><a href="{leads}">{title}</a></p></body>\n</html>\n'
    )
