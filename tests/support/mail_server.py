"""A mail server on loopback: what it was given lies in its outbox."""

import ipaddress
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast

import anyio.to_thread
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from autolynx.identity.mail import MailSecurity, SmtpMailer
from tests.support.engine import free_port

HOST = "127.0.0.1"
SENDER = "autolynx@example.com"
USER, PASSWORD = "post-office", "a long secret of the post office"


@dataclass(frozen=True, kw_only=True)
class MailServer:
    """A running server. `trust` is what a client needs that shall believe its certificate."""

    port: int
    trust: ssl.SSLContext
    outbox: list[EmailMessage] = field(default_factory=list)

    def mailer(self, security: MailSecurity = MailSecurity.NONE, **values: Any) -> SmtpMailer:
        """Return a mailer that knows this server."""
        return SmtpMailer(host=HOST, port=self.port, sender=SENDER, security=security, **values)


class _Handler:
    def __init__(self, outbox: list[EmailMessage]) -> None:
        self._outbox = outbox

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's word
        body = cast("bytes", envelope.original_content)
        self._outbox.append(message_from_bytes(body, policy=policy.default))
        return "250 OK"


def _login(_server: Any, _session: Any, _envelope: Any, _mechanism: str, sent: Any) -> AuthResult:
    is_right = isinstance(sent, LoginPassword) and (sent.login, sent.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=is_right, handled=False)


@asynccontextmanager
async def running_mail_server(folder: Path, *, security: MailSecurity = MailSecurity.NONE) -> AsyncIterator[MailServer]:
    """Run a mail server while the block lasts; by STARTTLS it wants a login as well."""
    certificate, key = _certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = MailServer(port=free_port(), trust=ssl.create_default_context(cafile=str(certificate)))
    begins_open = security is MailSecurity.STARTTLS
    controller = Controller(
        _Handler(server.outbox),
        hostname=HOST,
        port=server.port,
        ssl_context=context if security is MailSecurity.TLS else None,
        tls_context=context if begins_open else None,
        require_starttls=begins_open,
        authenticator=_login if begins_open else None,
        auth_required=begins_open,
        auth_require_tls=begins_open,
    )
    await anyio.to_thread.run_sync(controller.start)
    try:
        yield server
    finally:
        await anyio.to_thread.run_sync(controller.stop)


def _certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    made = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(made - timedelta(minutes=5))
        .not_valid_after(made + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "mail-server.pem", folder / "mail-server.key"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret = serialization.NoEncryption()
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, secret))
    return paths
