"""The keys that the stand-in signs with: rotated, published ahead, withdrawn; or the one secret of old."""

from dataclasses import dataclass, field
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

LEGACY_SECRET = "a-secret-of-the-test-that-is-long-enough-for-hs256"
ALGORITHMS = {
    "ES256": jwt.algorithms.ECAlgorithm,
    "RS256": jwt.algorithms.RSAAlgorithm,
    "EdDSA": jwt.algorithms.OKPAlgorithm,
}


@cache
def private_key(key_id: str, algorithm: str) -> Any:
    """Return the private key of that name; made once for all tests of a process."""
    del key_id
    if algorithm == "RS256":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(ec.SECP256R1())


def public_jwk(key_id: str, algorithm: str) -> dict[str, Any]:
    """Return a key as it is published."""
    public = private_key(key_id, algorithm).public_key()
    shown: dict[str, Any] = ALGORITHMS[algorithm].to_jwk(public, as_dict=True)  # type: ignore[attr-defined]
    return {**shown, "kid": key_id, "alg": algorithm, "use": "sig", "key_ops": ["verify"]}


@dataclass(kw_only=True)
class Keys:
    """`published` and the one in use; `secret` instead of them in a project of old."""

    current: tuple[str, str] = ("key-1", "ES256")
    published: list[tuple[str, str]] = field(default_factory=lambda: [("key-1", "ES256")])
    secret: str | None = None

    def rotate(self, key_id: str, algorithm: str = "ES256") -> None:
        """Sign with another key from now on; the old ones stay published until they are withdrawn."""
        if (key_id, algorithm) not in self.published:
            self.published.append((key_id, algorithm))
        self.current = (key_id, algorithm)

    def withdraw(self, key_id: str) -> None:
        """Take a key out of what is published."""
        self.published = [entry for entry in self.published if entry[0] != key_id]

    def jwks(self) -> dict[str, Any]:
        """Return what is published; a secret never is."""
        return {"keys": [] if self.secret else [public_jwk(*entry) for entry in self.published]}

    def sign(self, claims: dict[str, Any]) -> str:
        """Sign an access token."""
        if self.secret:
            return jwt.encode(claims, self.secret, algorithm="HS256")
        key_id, algorithm = self.current
        return jwt.encode(claims, private_key(key_id, algorithm), algorithm=algorithm, headers={"kid": key_id})

    def read(self, token: str) -> dict[str, Any]:
        """Return the claims of a token that was signed here, over or not. Raises jwt.PyJWTError."""
        header = jwt.get_unverified_header(token)
        known = dict(self.published)
        key_id, algorithm = header.get("kid"), str(header["alg"])
        options: Any = dict.fromkeys(("verify_exp", "verify_aud", "verify_iat", "verify_nbf"), False)
        if algorithm == "HS256" and self.secret:
            return jwt.decode(token, self.secret, algorithms=["HS256"], options=options)
        if known.get(str(key_id)) != algorithm:
            raise jwt.InvalidKeyError("no such key")
        key = private_key(str(key_id), algorithm).public_key()
        return jwt.decode(token, key, algorithms=[algorithm], options=options)
