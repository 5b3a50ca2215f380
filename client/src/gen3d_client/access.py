"""Where a command goes, and as whom."""

import os

from gen3d_client import site as sites
from gen3d_client.client import Client, ask
from gen3d_client.cognito import Credentials, Session, Tokens
from gen3d_client.errors import SignInNeeded
from gen3d_client.key import VARIABLE, Key
from gen3d_client.sign_ins import Kept
from gen3d_client.site import Site


def opened(kept: Kept, address: str) -> tuple[Site, Credentials]:
    """The Gen3D that is meant, and what lets somebody in there.

    That is the environment's key, or else the sign-in or key that is kept for the address; where
    none is said, the environment's address, or else that of the last sign-in.

    Raises
    ------
    SignInNeeded
        There is neither, or a key and no address.
    """
    address = address or os.environ.get("GEN3D_ADDRESS", "")
    given = os.environ.get(VARIABLE)
    if given:
        key = Key(given)
        return _site(kept, address), key
    found = kept.sign_in(address)
    if found.tokens is None:
        return found.site, Key(found.key)

    def keep(tokens: Tokens) -> None:
        kept.keep(found.model_copy(update={"tokens": tokens}))

    return found.site, Session(found.site, found.tokens, keep)


def client(kept: Kept, address: str) -> Client:
    """A client of who is let in at an address."""
    site, credentials = opened(kept, address)
    return Client(site.api_url, credentials)


def _site(kept: Kept, address: str) -> Site:
    try:
        return kept.sign_in(address).site
    except SignInNeeded:
        if not address:
            raise SignInNeeded(
                f"{VARIABLE} is a key of which Gen3D? Name the address, by --at or GEN3D_ADDRESS."
            ) from None
    return ask(sites.find(address))
