"""Cognito's SRP: shows that one knows a password, without sending it.

Secure Remote Password 6a over the 3072-bit group of RFC 5054 with generator 2, whose key signs the
pool, the person, the server's block and the time. It is what Amplify does in a browser; tests hold
it to what Amplify's own code computes.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime

from gen3d_client.errors import SignInNeeded

_N = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F"
    "83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510"
    "15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7"
    "ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C"
    "BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF",
    16,
)
_G = 2
_SECRET_BITS = 1024
_KEY_BYTES = 16
_INFO = b"Caldera Derived Key"
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Proof:
    """A sign-in by SRP.

    Parameters
    ----------
    secret : int, optional
        A random number; one's own for tests alone.
    """

    def __init__(self, secret: int | None = None) -> None:
        self._secret = secret or secrets.randbits(_SECRET_BITS)
        self._public = pow(_G, self._secret, _N)

    @property
    def public(self) -> str:
        """What is sent first, as ``SRP_A``."""
        return f"{self._public:x}"

    def answer(
        self, pool: str, asked: Mapping[str, str], password: str, now: datetime | None = None
    ) -> dict[str, str]:
        """What answers the challenge ``PASSWORD_VERIFIER``.

        Parameters
        ----------
        pool : str
            The user pool's id, such as ``us-east-1_AbC``.
        asked : mapping
            The challenge's parameters.
        password : str
        now : datetime.datetime, optional

        Raises
        ------
        SignInNeeded
            The server's part is one by which it could have learnt something.
        """
        person, block = asked["USER_ID_FOR_SRP"], asked["SECRET_BLOCK"]
        theirs = int(asked["SRP_B"], 16)
        scramble = _number(_padded(self._public), _padded(theirs))
        if theirs % _N == 0 or scramble == 0:
            raise SignInNeeded("The sign-in was answered wrongly. Is the address the right one?")
        name = pool.partition("_")[2]
        inner = hashlib.sha256(f"{name}{person}:{password}".encode()).digest()
        known = _number(_padded(int(asked["SALT"], 16)), inner)
        base = (theirs - _number(_padded(_N), _padded(_G)) * pow(_G, known, _N)) % _N
        shared = pow(base, self._secret + scramble * known, _N)
        time = _stamp(now or datetime.now(UTC))
        signed = f"{name}{person}".encode() + base64.b64decode(block) + time.encode()
        signature = hmac.digest(_key(shared, scramble), signed, "sha256")
        return {
            "USERNAME": person,
            "TIMESTAMP": time,
            "PASSWORD_CLAIM_SECRET_BLOCK": block,
            "PASSWORD_CLAIM_SIGNATURE": base64.b64encode(signature).decode(),
        }


def _key(shared: int, scramble: int) -> bytes:
    """HKDF of one block."""
    mixed = hmac.digest(_padded(scramble), _padded(shared), "sha256")
    return hmac.digest(mixed, _INFO + b"\x01", "sha256")[:_KEY_BYTES]


def _padded(number: int) -> bytes:
    """Big-endian, with a zero before what would read as negative."""
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def _number(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha256(b"".join(parts)).digest(), "big")


def _stamp(now: datetime) -> str:
    """In English, whatever the machine's language, and with a day of one digit where it has one."""
    return (
        f"{_DAYS[now.weekday()]} {_MONTHS[now.month - 1]} {now.day} {now:%H:%M:%S} UTC {now.year}"
    )
