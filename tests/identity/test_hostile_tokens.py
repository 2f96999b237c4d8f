"""Access tokens that somebody made, bent or kept: each is refused, and says why in `reason`."""

import base64
import hashlib
import hmac
import json
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from autolynx.errors import Unauthorized
from tests.support.supabase_project import PASSWORD, PAT, Project, client_of, fault
from tests.support.supabase_standin.keys import LEGACY_SECRET, private_key, public_jwk
from tests.support.supabase_standin.sessions import claims_of
from tests.support.supabase_standin.world import Session

pytestmark = pytest.mark.anyio

SESSION = "3f0b1f55-6b0e-4a0c-9d53-0c3c2f0f7a11"


def claims(project: Project, **changes: Any) -> dict[str, Any]:
    """What a true token says, with changes; None takes a claim away."""
    session = Session(user=project.world.users[0], methods=[("password", 0)], id=SESSION)
    changed = claims_of(project.world, session) | changes
    return {name: value for name, value in changed.items() if value is not None}


def signed(project: Project, **changes: Any) -> str:
    """A token that the project itself signed."""
    return project.world.keys.sign(claims(project, **changes))


def part(value: Any) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def by_hand(header: dict[str, Any], body: Any, secret: bytes | None = None) -> str:
    """A token as no library would make it."""
    head = f"{part(header)}.{part(body)}"
    signature = hmac.new(secret, head.encode(), hashlib.sha256).digest() if secret else b""
    return f"{head}.{part(signature)}"


async def refusal(project: Project, token: str) -> str:
    with pytest.raises(Unauthorized, match=r"^The access token is not valid; sign in again\.$") as refused:
        await project.client.verify(token)
    return str(refused.value.details["reason"])


async def test_a_true_token_says_who_bears_it(project: Project) -> None:
    bearer = await project.client.verify(signed(project))
    user = project.world.users[0]
    assert (bearer.identity.subject, bearer.identity.email, bearer.identity.name) == (user.id, PAT, "Pat Example")
    assert bearer.session_id == SESSION
    assert bearer.expires_at.timestamp() == project.clock.now().timestamp() + 3600


async def test_a_token_never_says_that_an_address_is_verified(project: Project) -> None:
    lies = {"email_verified": True, "user_metadata": {"email_verified": True}}
    assert not (await project.client.verify(signed(project, **lies))).identity.is_email_verified


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "EdDSA"])
async def test_each_kind_of_key_verifies(project: Project, algorithm: str) -> None:
    project.world.keys.rotate(f"new-{algorithm}", algorithm)
    assert (await project.client.verify(signed(project))).identity.email == PAT


async def test_a_forged_signature_is_refused(project: Project) -> None:
    head, _, signature = signed(project).rpartition(".")
    forged = part(bytes([signature.encode()[0] ^ 1]) + bytes(63))
    assert await refusal(project, f"{head}.{forged}") == "signature"


async def test_changed_claims_under_a_true_signature_are_refused(project: Project) -> None:
    header, _, signature = signed(project).split(".")
    changed = part(claims(project, email="boss@example.com"))
    assert await refusal(project, f"{header}.{changed}.{signature}") == "signature"


async def test_a_token_signed_by_somebody_elses_key_under_our_key_id_is_refused(project: Project) -> None:
    own_key = ec.generate_private_key(ec.SECP256R1())
    token = jwt.encode(claims(project), own_key, algorithm="ES256", headers={"kid": "key-1"})
    assert await refusal(project, token) == "signature"


async def test_a_token_that_brings_its_own_key_along_is_refused(project: Project) -> None:
    own_key = ec.generate_private_key(ec.SECP256R1())
    shown = jwt.algorithms.ECAlgorithm.to_jwk(own_key.public_key(), as_dict=True)
    for extra in ({"jwk": shown}, {"jku": "https://evil.example.com/jwks.json"}, {"x5u": "https://evil.example.com"}):
        token = jwt.encode(claims(project), own_key, algorithm="ES256", headers={"kid": "key-1", **extra})
        assert await refusal(project, token) == "signature"


async def test_an_expired_token_is_refused_after_half_a_minute_of_grace(project: Project) -> None:
    token = signed(project)
    project.clock.move(3600 + 29)
    await project.client.verify(token)
    project.clock.move(1)
    assert await refusal(project, token) == "expired"


@pytest.mark.parametrize("claim", ["nbf", "iat"])
async def test_a_token_that_is_not_valid_yet_is_refused(project: Project, claim: str) -> None:
    begins = int(project.clock.now().timestamp()) + 31
    assert await refusal(project, signed(project, **{claim: begins})) == "not_yet_valid"
    project.clock.move(1)
    assert (await project.client.verify(signed(project, **{claim: begins}))).identity.email == PAT


@pytest.mark.parametrize("audience", ["anon", ["anon", "service_role"], "", None, 7, {"authenticated": 1}])
async def test_a_token_for_another_audience_is_refused(project: Project, audience: Any) -> None:
    assert await refusal(project, project.world.keys.sign(claims(project) | {"aud": audience})) == "audience"


async def test_an_audience_among_several_counts(project: Project) -> None:
    assert (await project.client.verify(signed(project, aud=["other", "authenticated"]))).identity.email == PAT


@pytest.mark.parametrize("issuer", ["https://other.supabase.co/auth/v1", "supabase", "", None, 7])
async def test_a_token_of_another_issuer_is_refused(project: Project, issuer: Any) -> None:
    assert await refusal(project, by_key(project, claims(project) | {"iss": issuer})) == "issuer"


async def test_the_issuer_must_match_to_the_letter(project: Project) -> None:
    for issuer in (f"{project.world.url}/auth/v1/", project.world.url, f"{project.world.url}/auth/v1@evil"):
        assert await refusal(project, signed(project, iss=issuer)) == "issuer"


def by_key(project: Project, body: Any, **header: Any) -> str:
    """A token with any body, truly signed by the project's key."""
    head = f"{part({'alg': 'ES256', 'kid': 'key-1', **header})}.{part(body)}"
    key = private_key("key-1", "ES256")
    return f"{head}.{part(jwt.algorithms.ECAlgorithm(jwt.algorithms.ECAlgorithm.SHA256).sign(head.encode(), key))}"


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE", "", "HS384", "HS512", "ES384", "PS256", "RS512"])
async def test_alg_none_and_other_algorithms_are_refused(project: Project, name: str) -> None:
    token = by_hand({"alg": name, "typ": "JWT", "kid": "key-1"}, claims(project))
    assert await refusal(project, token) == "algorithm"
    assert await refusal(project, token.rpartition(".")[0] + ".") == "algorithm"


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
async def test_hs256_signed_with_the_public_key_is_refused(project: Project, algorithm: str) -> None:
    project.world.keys.rotate("victim", algorithm)
    public = private_key("victim", algorithm).public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    for secret in (pem, pem.strip(), json.dumps(public_jwk("victim", algorithm)).encode()):
        for header in ({"alg": "HS256", "kid": "victim"}, {"alg": "HS256"}):
            assert await refusal(project, by_hand(header, claims(project), secret)) == "algorithm"


async def test_hs256_signed_with_the_public_key_is_refused_where_a_secret_is_known_as_well(project: Project) -> None:
    client = client_of(project.world, project.clock, jwt_secret=LEGACY_SECRET)
    public = private_key("key-1", "ES256").public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(Unauthorized) as refused:
        await client.verify(by_hand({"alg": "HS256", "kid": "key-1"}, claims(project), pem))
    assert refused.value.details["reason"] == "signature"
    await client.close()


async def test_a_key_of_one_kind_does_not_serve_under_the_name_of_another(project: Project) -> None:
    project.world.keys.rotate("rsa", "RS256")
    key = private_key("rsa", "RS256")
    assert await refusal(project, jwt.encode(claims(project), key, algorithm="RS256", headers={"kid": "key-1"})) == (
        "algorithm"
    )
    swapped = jwt.encode(claims(project), private_key("key-1", "ES256"), algorithm="ES256", headers={"kid": "rsa"})
    assert await refusal(project, swapped) == "algorithm"
    assert await refusal(project, jwt.encode(claims(project), key, algorithm="PS256", headers={"kid": "rsa"})) == (
        "algorithm"
    )


async def test_an_unknown_or_missing_key_id_is_refused(project: Project) -> None:
    key = private_key("key-1", "ES256")
    for header in ({"kid": "invented"}, {"kid": ""}, {"kid": "../key-1"}, {"kid": "key-1' OR '1'='1"}):
        assert await refusal(project, jwt.encode(claims(project), key, algorithm="ES256", headers=header)) == "key"
    assert await refusal(project, jwt.encode(claims(project), key, algorithm="ES256")) == "key"


@pytest.mark.parametrize("subject", [None, "", "pat", "1", 7, "' OR 1=1", "00000000-0000-0000-0000-00000000000g"])
async def test_a_token_without_a_subject_is_refused(project: Project, subject: Any) -> None:
    assert await refusal(project, by_key(project, claims(project) | {"sub": subject})) == "subject"


async def test_the_keys_of_a_project_are_no_access_tokens(legacy: Project) -> None:
    for role in ("anon", "service_role"):
        body = {"iss": "supabase", "ref": "abc", "role": role, "iat": 1600000000, "exp": 2900000000}
        assert await refusal(legacy, jwt.encode(body, LEGACY_SECRET, algorithm="HS256")) == "issuer"
        ours = body | {"iss": f"{legacy.world.url}/auth/v1"}
        assert await refusal(legacy, jwt.encode(ours, LEGACY_SECRET, algorithm="HS256")) == "audience"


@pytest.mark.parametrize("value", [True, "true", 1, None])
async def test_an_anonymous_token_is_refused(project: Project, value: Any) -> None:
    assert await refusal(project, by_key(project, claims(project) | {"is_anonymous": value})) == "anonymous"


@pytest.mark.parametrize("email", [None, "", "no address", 7, ["pat@example.com"]])
async def test_a_token_without_an_address_is_refused(project: Project, email: Any) -> None:
    assert await refusal(project, by_key(project, claims(project) | {"email": email})) == "email"


async def test_a_token_made_for_another_program_is_refused(project: Project) -> None:
    assert await refusal(project, signed(project, client_id=str(uuid4()))) == "client"


@pytest.mark.parametrize("claim", ["exp", "iat", "nbf"])
@pytest.mark.parametrize("value", ["soon", True, [], {}, 0, -1, 1e300, 10**400])
async def test_times_that_are_no_times_are_refused(project: Project, claim: str, value: Any) -> None:
    assert await refusal(project, by_key(project, claims(project) | {claim: value})) in {"times", "malformed"}


@pytest.mark.parametrize("claim", ["exp", "iat"])
async def test_missing_times_are_refused(project: Project, claim: str) -> None:
    assert await refusal(project, signed(project, **{claim: None})) == "times"


async def test_a_huge_token_is_refused_before_it_is_looked_at(project: Project) -> None:
    assert await refusal(project, signed(project, user_metadata={"name": "x" * 20_000})) == "too_long"
    assert await refusal(project, "a" * 5_000_000) == "too_long"
    assert await refusal(project, f"{part({'alg': 'ES256', 'kid': 'k' * 2000})}.e30.e30") == "malformed"


DEEP = b"[" * 6000 + b"]" * 6000
JUNK = [
    "",
    ".",
    "..",
    "...",
    "a.b.c",
    "junk",
    "e30.e30.e30",
    "\x00.\x00.\x00",
    "\ud800.e30.e30",
    "ключ.ключ.ключ",
    "e30=.e30=.e30=",
    f"{part([])}.e30.e30",
    f"{part(None)}.e30.e30",
    f"{part({'alg': ['ES256'], 'kid': 'key-1'})}.e30.e30",
    f"{part({'alg': 'ES256', 'kid': 7})}.e30.e30",
    f"{part({'alg': 'ES256', 'kid': {}})}.e30.e30",
    f"{part({'alg': 'ES256', 'kid': 'key-1', 'crit': ['b64'], 'b64': False})}.e30.e30",
    f"{part(DEEP[:700])}.e30.e30",
    f"{part({'alg': 'ES256', 'kid': 'key-1'})}.{part(DEEP)}.e30",
]


@pytest.mark.parametrize("token", JUNK, ids=range(len(JUNK)))
async def test_junk_is_refused_in_the_same_words(project: Project, token: str) -> None:
    assert await refusal(project, token) in {"malformed", "signature"}


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"7", b"{", b'{"exp": NaN}', DEEP, b"\xff\xfe"])
async def test_a_truly_signed_body_that_is_no_claims_is_refused(project: Project, body: bytes) -> None:
    assert await refusal(project, by_key(project, body)) == "malformed"


async def test_a_name_is_one_line_and_short(project: Project) -> None:
    wild = {"full_name": "  Pat\r\nSet-Cookie: x \u202e " + "y" * 500}
    name = (await project.client.verify(signed(project, user_metadata=wild))).identity.name
    assert name is not None
    assert name.startswith("Pat Set-Cookie: x yyy")
    assert len(name) == 200
    for metadata in (None, [], {"name": 7}, {"name": " \n"}):
        assert (await project.client.verify(signed(project, user_metadata=metadata))).identity.name is None


async def test_the_secret_of_old_verifies_hs256_with_and_without_a_key_id(legacy: Project) -> None:
    assert (await legacy.client.verify(signed(legacy))).identity.email == PAT
    named = jwt.encode(claims(legacy), LEGACY_SECRET, algorithm="HS256", headers={"kid": "any"})
    assert (await legacy.client.verify(named)).identity.email == PAT
    assert legacy.world.asks["/.well-known/jwks.json"] == 0


async def test_another_secret_does_not_verify(legacy: Project) -> None:
    token = jwt.encode(claims(legacy), LEGACY_SECRET + "x", algorithm="HS256")
    assert await refusal(legacy, token) == "signature"


async def test_hs256_is_refused_where_no_secret_is_set(project: Project) -> None:
    token = jwt.encode(claims(project), LEGACY_SECRET, algorithm="HS256", headers={"kid": "key-1"})
    assert await refusal(project, token) == "algorithm"


async def test_a_project_on_its_way_from_secret_to_keys_verifies_both(legacy: Project) -> None:
    old = signed(legacy)
    legacy.world.keys.secret = None
    new = signed(legacy)
    for token in (old, new):
        assert (await legacy.client.verify(token)).identity.email == PAT


async def test_a_small_rsa_key_is_not_used(project: Project) -> None:
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - the weak key of the test
    shown = jwt.algorithms.RSAAlgorithm.to_jwk(small.public_key(), as_dict=True)
    jwks = json.dumps({"keys": [{**shown, "kid": "small", "alg": "RS256"}]}).encode()
    project.world.fail("/.well-known/jwks.json", fault(200, jwks))
    with pytest.warns(jwt.warnings.InsecureKeyLengthWarning):
        token = jwt.encode(claims(project), small, algorithm="RS256", headers={"kid": "small"})
    assert await refusal(project, token) == "key"


async def test_a_session_of_the_password_is_a_true_token_too(project: Project) -> None:
    grant = await project.client.sign_in(PAT, PASSWORD)
    assert (await project.client.verify(grant.access_token)).identity.subject == grant.identity.subject
