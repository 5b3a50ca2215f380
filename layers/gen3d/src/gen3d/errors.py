"""Every error that Gen3D names, once.

The class name is the error's name everywhere: in the API's answers, in the container's answers, in
a task's failure and in the state machine's ``Catch``. The message is a sentence for the person who
can do something about it.
"""

from typing import ClassVar


class Gen3DError(Exception):
    """Base of all named errors.

    Parameters
    ----------
    message : str
        What happened and what to do, in a sentence or two, fit to be shown to the person.
    retry_after : int, optional
        Seconds after which the same may well succeed.
    """

    status: ClassVar[int] = 500

    def __init__(self, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after

    @property
    def name(self) -> str:
        """The error's public name."""
        return type(self).__name__

    def body(self) -> dict[str, str | int]:
        """The error as the API and the container answer it."""
        body: dict[str, str | int] = {"error": self.name, "message": self.message}
        if self.retry_after is not None:
            body["retryAfter"] = self.retry_after
        return body


# Requests


class InvalidRequest(Gen3DError):
    """The request's body or parameters are not of the documented form."""

    status = 400


class UnsupportedVersion(Gen3DError):
    """The request was written for a version of the API that is not spoken here."""

    status = 400


class Unauthorized(Gen3DError):
    """Token or key is missing, forged, expired or withdrawn, or is not an ID token."""

    status = 401


class NotAllowed(Gen3DError):
    """A key was used for what it may not."""

    status = 403


class KeyNotFound(Gen3DError):
    """No such key, or somebody else's."""

    status = 404


class ShareNotFound(Gen3DError):
    """No such share, or somebody else's, or one that has ended or was withdrawn."""

    status = 404


class JobNotFound(Gen3DError):
    """No such job, or somebody else's: the two are not told apart."""

    status = 404


class BatchNotFound(Gen3DError):
    """No such batch, or somebody else's."""

    status = 404


class WebhookNotFound(Gen3DError):
    """No such webhook, or somebody else's."""

    status = 404


class DeliveryNotFound(Gen3DError):
    """Nothing of this id was sent to the webhook, or it was longer ago than is kept."""

    status = 404


class JobConflict(Gen3DError):
    """The job is not in a state in which this can be done."""

    status = 409


class IdempotencyKeyReused(Gen3DError):
    """The Idempotency-Key was another request's."""

    status = 422


class MaskExpired(Gen3DError):
    """The job waited too long for its mask."""

    status = 410


class LimitReached(Gen3DError):
    """The person has as many jobs, or objects in the queue, as one person may have."""

    status = 429


class DependencyUnavailable(Gen3DError):
    """A service of AWS did not answer, or asked for patience; nothing is lost by trying again."""

    status = 503


class OptionNotOffered(Gen3DError):
    """An option was chosen that the job's engine does not offer, or not with this value."""

    status = 422


# Photos and masks


class ImageMissing(Gen3DError):
    """The photo was never uploaded, or is gone."""

    status = 422


class InvalidImage(Gen3DError):
    """The file is no readable photo."""

    status = 422


class UnsupportedImage(Gen3DError):
    """A photo, but of a kind that is not taken: format, animation, or a wrong type or name."""

    status = 415


class ImageTooLarge(Gen3DError):
    """More bytes or pixels than are taken."""

    status = 413


class ImageTooSmall(Gen3DError):
    """Too few pixels to find an object in."""

    status = 422


class InvalidDepth(Gen3DError):
    """The depth map is missing, unreadable, of another aspect, or tells no distances."""

    status = 422


class AddressRefused(Gen3DError):
    """The address is none of https's, or leads to where nothing is fetched from, or sent to."""

    status = 422


class FetchFailed(Gen3DError):
    """Nothing came from the address: absent, too slow, or not over https."""

    status = 422


class InvalidMask(Gen3DError):
    """The mask is missing, unreadable, of the wrong size, empty, or covers everything."""

    status = 422


class NothingFound(Gen3DError):
    """What was to show an object in the photo shows none."""

    status = 422


# The endpoint


class InputMissing(Gen3DError):
    """An object in S3 that the endpoint was asked to read does not exist."""

    status = 404


class OutputNotWritable(Gen3DError):
    """The endpoint could not write its result to S3."""

    status = 500


class StorageUnavailable(Gen3DError):
    """S3 did not answer the endpoint, or asked for patience; it is tried again by itself."""

    status = 503


class EndpointMissing(Gen3DError):
    """No model endpoint is deployed."""

    status = 503


class WeightsInvalid(Gen3DError):
    """The weights folder is absent, partial, or of another revision."""

    status = 500


class WeightsUnavailable(Gen3DError):
    """The weights cannot be fetched from those who publish them: access, token, network, disk."""

    status = 502


class GpuUnavailable(Gen3DError):
    """The endpoint's machine has no GPU, or one that the engine cannot use."""

    status = 500


class EndpointUnavailable(Gen3DError):
    """The endpoint is starting or stopping, or its GPU has failed; it is tried again by itself."""

    status = 503


class OutOfMemory(Gen3DError):
    """The accelerator ran out of memory; it was freed and the endpoint goes on."""

    status = 507


class ReconstructionFailed(Gen3DError):
    """The engine gave no usable gaussians or mesh."""

    status = 500


class InferenceFailed(Gen3DError):
    """The endpoint failed without naming an error of ours."""

    status = 500


class InferenceExpired(Gen3DError):
    """The request waited in the endpoint's queue for longer than it may."""

    status = 504


# The mesh


class InvalidSplat(Gen3DError):
    """The file is no readable gaussian-splat PLY."""

    status = 422


class SplatTooLarge(Gen3DError):
    """More gaussians than one function can turn into a mesh."""

    status = 413


class InvalidMesh(Gen3DError):
    """The file is no readable mesh of triangles, or one that the format asked for cannot hold."""

    status = 422


class EmptySurface(Gen3DError):
    """The splat has no surface: too few, transparent, or degenerate gaussians."""

    status = 422


# Outcomes of a job


class ExecutionAborted(Gen3DError):
    """Somebody stopped the execution outside of Gen3D."""

    status = 500


class ExecutionTimedOut(Gen3DError):
    """A stage or the whole job took longer than it may."""

    status = 504


class MailFailed(Gen3DError):
    """A mail could not be sent; the job is not touched by it."""

    status = 502


class InternalError(Gen3DError):
    """A fault of ours. The details are in the log, not in the answer."""

    status = 500


def _leaves(cls: type[Gen3DError]) -> list[type[Gen3DError]]:
    return [leaf for sub in cls.__subclasses__() for leaf in (sub, *_leaves(sub))]


ERRORS: dict[str, type[Gen3DError]] = {cls.__name__: cls for cls in _leaves(Gen3DError)}
"""Name → class, for an error that arrives as data."""


def from_body(body: object) -> Gen3DError | None:
    """Make the named error again that `Gen3DError.body` wrote.

    Parameters
    ----------
    body : object
        Decoded JSON of any shape.

    Returns
    -------
    Gen3DError or None
        None where the body does not name one of our errors.
    """
    if not isinstance(body, dict):
        return None
    cls = ERRORS.get(str(body.get("error")))
    if cls is None:
        return None
    seconds = body.get("retryAfter")
    return cls(str(body.get("message", "")), seconds if type(seconds) is int else None)
