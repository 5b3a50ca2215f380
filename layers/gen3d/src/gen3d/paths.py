"""Where everything lies in the bucket.

Layout::

    public/                                  the web app, read through CloudFront
    uploads/{identityId}/jobs/{jobId}/…      what a browser may write, by a form and for a day
    private/{identityId}/jobs/{jobId}/…      a job's files, which no browser may write
    private/{identityId}/batches/{id}.json   what a batch of photos asks for
    models/{engine}/{revision}/…             weights, decoder.onnx and its LICENSE
    async/{in,out,failed}/…                  SageMaker's envelopes, expired after a day
    async/progress/…                         how far the endpoint is with a request, so, too
"""

from dataclasses import dataclass

from gen3d.formats import PHOTO_FORMATS

PRIVATE = "private/"
UPLOADS = "uploads/"
MODELS = "models/"
ASYNC_IN = "async/in/"
PROGRESS = "async/progress/"


def uri(bucket: str, key: str) -> str:
    """Spell bucket and key as SageMaker and the container want them."""
    return f"s3://{bucket}/{key}"


def seed_folder(seed: int) -> str:
    """Where in an object's folder its files lie as one of several seeds makes them."""
    return f"seeds/{seed}/"


def split_uri(s3_uri: str) -> tuple[str, str]:
    """Take an ``s3://bucket/key`` apart.

    Raises
    ------
    ValueError
        Not an S3 URI with a key.
    """
    bucket, _, key = s3_uri.removeprefix("s3://").partition("/")
    if not s3_uri.startswith("s3://") or not bucket or not key:
        raise ValueError(f"{s3_uri!r} is not of the form s3://bucket/key")
    return bucket, key


def job_prefix(identity_id: str, job_id: str) -> str:
    """The folder of one job, with its closing slash."""
    return f"{PRIVATE}{identity_id}/jobs/{job_id}/"


def uploads_prefix(identity_id: str, job_id: str) -> str:
    """The folder that one job's photo and masks are uploaded to, with its closing slash."""
    return f"{UPLOADS}{identity_id}/jobs/{job_id}/"


def batch_file(identity_id: str, batch_id: str) -> str:
    """What was asked of a batch, photo by photo."""
    return f"{PRIVATE}{identity_id}/batches/{batch_id}.json"


def decoder(engine: str, revision: str) -> str:
    """The mask decoder that belongs to the embeddings of this engine and revision."""
    return f"{MODELS}{engine}/{revision}/decoder.onnx"


def async_input(callback_id: str) -> str:
    """The request that SageMaker reads for one invocation."""
    return f"{ASYNC_IN}{callback_id}.json"


def progress(callback_id: str) -> str:
    """How far the endpoint is with one invocation: `gen3d.contract.Progress`."""
    return f"{PROGRESS}{callback_id}.json"


@dataclass(frozen=True)
class ObjectFiles:
    """Keys of one object of a job; `prefix` ends in ``objects/{n}/``, a draft's in ``draft/``."""

    prefix: str

    @property
    def mask(self) -> str:
        """PNG at the photo's size, white = object."""
        return f"{self.prefix}mask.png"

    @property
    def splat(self) -> str:
        """The 3DGS PLY, Z up."""
        return f"{self.prefix}splat.ply"

    @property
    def packed_splat(self) -> str:
        """The same gaussians as SPZ, where the mesh's GLB has them."""
        return f"{self.prefix}splat.spz"

    @property
    def engine_mesh(self) -> str:
        """The textured mesh of an engine that makes no splat, as it made it."""
        return f"{self.prefix}engine.glb"

    @property
    def preview(self) -> str:
        """A picture of the mesh."""
        return f"{self.prefix}preview.png"

    @property
    def draft(self) -> "ObjectFiles":
        """Splat, mesh and picture of the draft, which stands in until there is a mesh."""
        return ObjectFiles(f"{self.prefix}draft/")

    @classmethod
    def beside(cls, uri: str) -> "ObjectFiles":
        """Those of the object whose file has this address; they are addresses, too."""
        return cls(f"{uri.rpartition('/')[0]}/")

    def mesh(self, ending: str) -> str:
        """The mesh in one of `gen3d.formats.MESH_FORMATS`."""
        return f"{self.prefix}mesh.{ending}"


@dataclass(frozen=True)
class Uploads:
    """Keys that a browser may write; `prefix` is what `uploads_prefix` gives.

    Anything may lie there. What was checked is copied to the job's own files.
    """

    prefix: str

    def image(self, content_type: str) -> str:
        """The photo, named for its type."""
        return f"{self.prefix}image.{PHOTO_FORMATS[content_type].ending}"

    @property
    def depth(self) -> str:
        """The photo's depth map."""
        return f"{self.prefix}depth.png"

    def mask(self, n: int) -> str:
        """The mask of the n-th object, from 0."""
        return f"{self.prefix}mask-{n}.png"


@dataclass(frozen=True)
class JobFiles:
    """Keys of a job; `prefix` is what `job_prefix` gives."""

    prefix: str

    def image(self, content_type: str) -> str:
        """The photo, named for its type."""
        return f"{self.prefix}image.{PHOTO_FORMATS[content_type].ending}"

    @property
    def depth(self) -> str:
        """The photo's depth map, where its owner has one."""
        return f"{self.prefix}depth.png"

    @property
    def prompts(self) -> str:
        """What shows the objects, where nobody draws their masks: `gen3d.prompts.Prompts`."""
        return f"{self.prefix}prompts.json"

    @property
    def embeddings(self) -> str:
        """The decoder's inputs."""
        return f"{self.prefix}embeddings.safetensors"

    @property
    def draft_embeddings(self) -> str:
        """Those of the draft's decoder, until there are better ones."""
        return f"{self.prefix}draft/embeddings.safetensors"

    @property
    def result(self) -> str:
        """What came out, written last: its arrival is an event."""
        return f"{self.prefix}result.json"

    def scene(self, ending: str) -> str:
        """All objects together, in one of `gen3d.formats.SCENE_FORMATS`."""
        return f"{self.prefix}scene.{ending}"

    @property
    def scene_picture(self) -> str:
        """A picture of the scene."""
        return f"{self.prefix}scene.png"

    def object(self, n: int, folder: str = "") -> ObjectFiles:
        """Files of the n-th object, from 0, or of one that lies in a folder of it."""
        return ObjectFiles(f"{self.prefix}objects/{n}/{folder}")
